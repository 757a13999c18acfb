"""A site's policy: every setting of `greenroom site set`, its bounds and its default."""

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from service.rate_limiting.rules import Limit, parse_limit

# The column sizes of a WordPress database, which the forms out there were made for.
MAX_TEXT_CHARS_CEILING = 65_525

DEFAULT_REASONS = {
    "off_topic": "Your comment is not about this article.",
    "abusive": "Your comment attacks or insults somebody.",
    "personal_data": "Your comment shows personal data of somebody.",
    "advertising": "Your comment advertises something.",
    "duplicate": "Your comment repeats one that is already here.",
    "other": "Your comment does not fit this site's rules.",
}

# Of itself the end of a pattern lies before a last line feed too.
ReasonCode = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}(?!\n)$")]
Statement = Annotated[str, Meta(min_length=1, max_length=500)]
# `parse_limit` checks it, and says what would do.
LimitText = Annotated[
    str, Meta(description="`N/second|minute|hour|day`, or `off`.", examples=["10/minute"])
]


class SitePolicy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The settings of one site, under the names that the command line and the API use."""

    limit_ip: LimitText = field(default="10/minute", name="limit.ip")
    limit_address: LimitText = field(default="5/minute", name="limit.address")
    limit_article: LimitText = field(default="120/minute", name="limit.article")
    limit_site: LimitText = field(default="1200/minute", name="limit.site")
    max_text_chars: Annotated[int, Meta(ge=1, le=MAX_TEXT_CHARS_CEILING)] = 10_000
    max_depth: Annotated[int, Meta(ge=0, le=100)] = 8
    edit_window_seconds: Annotated[int, Meta(ge=0, le=2_592_000)] = 900
    receipt_days: Annotated[int, Meta(ge=1, le=3_650)] = 180
    trailing_slash: Literal["drop", "keep"] = "drop"
    articles: Literal["open", "listed"] = "open"
    comments: Literal["open", "closed"] = "open"
    reasons: dict[ReasonCode, Statement] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("limit_ip", "limit_address", "limit_article", "limit_site"):
            parse_limit(getattr(self, name))

    def limit(self, name: Literal["ip", "address", "article", "site"]) -> Limit | None:
        """Give one of the four limits of submissions; None is off."""
        return parse_limit(getattr(self, f"limit_{name}"))

    def statement(self, reason: str | None) -> str | None:
        """Give the text for the author that belongs to a reason."""
        return {**DEFAULT_REASONS, **self.reasons}.get(reason) if reason else None


# The names that a policy has, in the order of the class.
SETTINGS = tuple(name.encode_name for name in msgspec.structs.fields(SitePolicy))
_REASON = re.compile(r"reason\.([a-z0-9][a-z0-9_-]{0,63})")
SETTINGS_SCHEMA = {
    "properties": msgspec.json.schema(SitePolicy)["$defs"][SitePolicy.__name__]["properties"],
    "patternProperties": {f"^{_REASON.pattern}$": msgspec.json.schema(Statement)},
    "additionalProperties": False,
}


class SettingInvalid(ValueError):
    """A setting has no such name or may not have this value; the text says what would do."""


def read_policy(stored: dict[str, Any]) -> SitePolicy:
    """Read a stored policy; what it does not hold has its default."""
    return msgspec.convert(stored, SitePolicy)


def change_policy(stored: dict[str, Any], name: str, value: object) -> dict[str, Any]:
    """Give the stored form of a policy with one setting changed.

    `reason.CODE` sets the text that authors see for a reason. Raises SettingInvalid.
    """
    changed = dict(stored)
    if match := _REASON.fullmatch(name):
        changed["reasons"] = {**changed.get("reasons", {}), match[1]: value}
    elif name in SETTINGS:
        changed[name] = value
    else:
        raise SettingInvalid(f"There is no setting {name!r}; there are {', '.join(SETTINGS)}.")
    try:
        policy = read_policy(changed)
    except (msgspec.ValidationError, ValueError) as error:
        raise SettingInvalid(f"{name}: {error}") from None
    plain: dict[str, Any] = msgspec.to_builtins(policy)
    return plain
