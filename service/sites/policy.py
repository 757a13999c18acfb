"""A site's policy: every setting of `greenroom site set`, its bounds and its default."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from service.errors import FieldError
from service.form.texts import MAX_TEXT_CHARS_CEILING
from service.http.fields import find_errors, point_to
from service.http.tidy import tidy_texts
from service.rate_limiting.rules import Limit, parse_limit
from service.sites.articles import parse_hosts
from service.sites.kinds import (
    CODE,
    MAX_REASONS,
    Hosts,
    LimitText,
    PrivacyText,
    PrivacyUrl,
    ReasonCode,
    Reasons,
    Statement,
    parse_privacy_url,
)
from service.text.languages import FALLBACK, Language
from service.wordpress.names import TextFields, parse_text_fields

DEFAULT_REASONS = {
    "off_topic": "Your comment is not about this article.",
    "abusive": "Your comment attacks or insults somebody.",
    "personal_data": "Your comment shows personal data of somebody.",
    "advertising": "Your comment advertises something.",
    "duplicate": "Your comment repeats one that is already here.",
    "other": "Your comment does not fit this site's rules.",
}

SettingValue = str | int | dict[str, str]


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
    host_aliases: Hosts = ""
    articles: Literal["open", "listed"] = "open"
    comments: Literal["open", "closed"] = "open"
    language: Language = FALLBACK
    text_fields: TextFields = field(default="", name="form.text_field")
    privacy_text: PrivacyText = field(default="", name="form.privacy_text")
    privacy_url: PrivacyUrl = field(default="", name="form.privacy_url")
    consent: Literal["none", "required"] = field(default="none", name="form.consent")
    reasons: Reasons = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("limit_ip", "limit_address", "limit_article", "limit_site"):
            parse_limit(getattr(self, name))
        parse_text_fields(self.text_fields)
        parse_privacy_url(self.privacy_url)
        parse_hosts(self.host_aliases)

    def as_settings(self) -> dict[str, SettingValue]:
        """Give every setting under its name."""
        return {setting.encode_name: getattr(self, setting.name) for setting in msgspec.structs.fields(self)}

    @property
    def text_field_names(self) -> tuple[str, ...]:
        """The fields that hold the real text in forms with a trap; without any there is none."""
        return parse_text_fields(self.text_fields)

    def limit(self, name: Literal["ip", "address", "article", "site"]) -> Limit | None:
        """Give one of the four limits of submissions; None is off."""
        return parse_limit(getattr(self, f"limit_{name}"))

    def takes_comments(self, is_closed: bool | None) -> bool:
        """Tell whether an article is open, by whether it was closed; None is one that is not there yet."""
        if is_closed is None and self.articles == "listed":
            return False
        return self.comments == "open" and not is_closed

    def statement(self, reason: str | None) -> str | None:
        """Give the text for the author that belongs to a reason."""
        return {**DEFAULT_REASONS, **self.reasons}.get(reason) if reason else None


# What decides which pages are one article, and so cannot change under those that have comments, or a key (a
# pattern of SQL) that could be another one afterwards.
FIXED_SETTINGS = {"trailing_slash": "/_%", "host_aliases": "//%"}
# The names that a policy has, in the order of the class.
_KINDS = {setting.encode_name: setting.type for setting in msgspec.structs.fields(SitePolicy)}
SETTINGS = tuple(_KINDS)
_NUMBERS = frozenset(
    setting.encode_name for setting in msgspec.structs.fields(SitePolicy) if isinstance(setting.default, int)
)
_NUMBER = re.compile(r"-?[0-9]+")
_ZEROS = re.compile(r"^(-?)0+(?=[0-9])")
# Far beyond any bound.
MAX_NUMBER_CHARS = 12
# The text of one reason is a setting as well, called by this and the reason's code.
_REASON = "reason."
SETTINGS_SCHEMA = {
    "properties": msgspec.json.schema(SitePolicy)["$defs"][SitePolicy.__name__]["properties"],
    "patternProperties": {
        rf"^{re.escape(_REASON)}{CODE}(?!\n)$": msgspec.json.schema(Statement),
    },
    "additionalProperties": False,
}


def read_policy(stored: Mapping[str, object]) -> SitePolicy:
    """Read a stored policy; what it does not hold has its default. Raises msgspec.ValidationError."""
    return msgspec.convert(stored, SitePolicy)


def parse_setting(name: str, text: str) -> SettingValue:
    """Read a setting's value from the command line; over HTTP it has its JSON type already."""
    if name not in _NUMBERS or not _NUMBER.fullmatch(text):
        return text
    # Of more digits Python reads no number at all; the first ones say as well that it is too high.
    return int(_ZEROS.sub(r"\1", text)[:MAX_NUMBER_CHARS])


def change_policy(stored: Mapping[str, object], settings: Mapping[str, SettingValue]) -> dict[str, object]:
    """Give the stored form of a policy with some settings changed, in which `find_faults` finds nothing.

    `reason.CODE` sets the text that authors see for a reason.
    """
    settings = {name: _tidy(name, value) for name, value in settings.items()}
    named = {name: value for name, value in settings.items() if name in SETTINGS}
    texts = {code: settings[name] for name, code in _reasons_in(settings)}
    policy = read_policy({**stored, **named})
    policy = msgspec.structs.replace(policy, reasons={**policy.reasons, **texts})
    plain: dict[str, object] = msgspec.to_builtins(policy)
    return plain


def find_faults(
    stored: Mapping[str, object], settings: Mapping[str, object], pointer: str = "#"
) -> list[FieldError]:
    """List all that is wrong with settings that are to change a stored policy, each at its place."""
    found: list[FieldError] = []
    for name, value in settings.items():
        found += _find_in_setting(name, _tidy(name, value), point_to(pointer, name))
    known = settings.get("reasons", stored.get("reasons"))
    known = known if isinstance(known, Mapping) else {}
    new = [name for name, code in _reasons_in(settings) if code not in known]
    for name in new[max(0, MAX_REASONS - len(known)) :]:
        found.append(_fault(f"A site has at most {MAX_REASONS} reasons.", point_to(pointer, name)))
    return found


def _reasons_in(settings: Mapping[str, object]) -> list[tuple[str, str]]:
    """Give each setting that is the text of one reason, with the code of that."""
    return [(name, name.removeprefix(_REASON)) for name in settings if name.startswith(_REASON)]


def _tidy(name: str, value: Any) -> Any:
    """Give texts for authors the form of a reader's text; other settings have a form of their own."""
    if isinstance(value, dict):
        return {code: tidy_texts(text, Statement) for code, text in value.items()}
    return tidy_texts(value, Statement if name.startswith(_REASON) else _KINDS.get(name, object))


def _find_in_setting(name: str, value: object, pointer: str) -> list[FieldError]:
    if name in _KINDS:
        found = find_errors(value, _KINDS[name], pointer)
    elif name.startswith(_REASON):
        code = find_errors(name.removeprefix(_REASON), ReasonCode, pointer)
        found = [*code, *find_errors(value, Statement, pointer)]
    else:
        return [_fault(f"There is no such setting; there are {', '.join(SETTINGS)}.", pointer)]
    return [_fault(one.detail, one.pointer or pointer) for one in found]


def _fault(detail: str, pointer: str) -> FieldError:
    return FieldError("settings_invalid", detail, pointer)
