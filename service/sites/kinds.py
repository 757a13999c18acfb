"""What values the settings of a site may have: each kind with its bounds and what reads it."""

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated

from msgspec import Meta

from service.errors import FieldRefused
from service.http.tidy import FREE_TEXT, FreeText, one_line_or_none, some_lines
from service.http.told import CHECK, SAID
from service.rate_limiting.rules import LIMIT_SYNTAX, parse_limit
from service.sites.articles import parse_hosts
from service.sites.plugin_fields import explain_plugin_field
from service.text.links import MAX_CHARS as MAX_ADDRESS_CHARS
from service.text.links import parse_host
from service.text.normalising import normalise_line

# All of them are read with the site at every request; nobody chooses among more.
MAX_REASONS = 50

CODE = "[a-z0-9][a-z0-9_-]{0,63}"
# Of itself the end of a pattern lies before a last line feed too.
ReasonCode = Annotated[
    str,
    Meta(
        pattern=rf"^{CODE}(?!\n)$",
        extra={SAID: "a code: 1 to 64 lower-case letters, digits, `_` and `-`"},
    ),
]
Statement = Annotated[str, some_lines(500)]


def checked_by(parse: Callable[[str], object]) -> dict[str, object]:
    """Have a setting checked by what reads it, whose ValueError says what would do."""

    def check(text: str) -> None:
        try:
            parse(text)
        except ValueError as error:
            raise FieldRefused("settings_invalid", str(error)) from None

    return {CHECK: check}


LimitText = Annotated[
    str,
    Meta(
        description="`N/second|minute|hour|day`, or `off`.",
        examples=["10/minute"],
        extra_json_schema={"pattern": rf"^(off|{LIMIT_SYNTAX.pattern})(?!\n)$"},
        extra=checked_by(parse_limit),
    ),
]

# With 32 bytes a name, a thousand pages that have one each; it is read with the site at every request.
MAX_TEXT_FIELDS_CHARS = 33_000
_FIELD_NAME = r"[A-Za-z0-9_.:\[\]-]{1,64}"
# WordPress's name of the text, which is the trap where a plug-in has put the text elsewhere.
DECOY = "comment"
# What a form means by these is fixed.
_TAKEN_NAMES = frozenset(
    [
        "article",
        "name",
        "email",
        "text",
        "url",
        "parent",
        "redirect_to",
        "author",
        "comment_post_ID",
        "comment_parent",
    ]
)


# Every submission asks for them, and they are the same for as long as nobody changes the site. The longest
# takes less than 1 MiB.
@lru_cache(maxsize=32)
def parse_text_fields(text: str) -> tuple[str, ...]:
    """Read the names of `form.text_field`; raises ValueError for a name that means something else.

    One that no text can be in is passed over: it may have been set before such names were refused.
    """
    names = _split_names(text)
    if taken := sorted(_TAKEN_NAMES.intersection(names)):
        raise ValueError(f"The field {taken[0]} means something else already.")
    if names and {*names} == {DECOY}:
        raise ValueError(
            f"{DECOY} alone is what is read anyway: name the other fields, or nothing."
        )
    return tuple(name for name in names if explain_plugin_field(name) is None)


def _split_names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",")) if text else ()


def check_text_fields(text: str) -> None:
    """Raise ValueError for names that are not to be set as `form.text_field`."""
    parse_text_fields(text)
    for name in _split_names(text):
        if meaning := explain_plugin_field(name):
            raise ValueError(f"The field {name} is {meaning}: nobody writes into it.")


TextFields = Annotated[
    str,
    Meta(
        max_length=MAX_TEXT_FIELDS_CHARS,
        pattern=rf"^({_FIELD_NAME}( *, *{_FIELD_NAME})*)?(?!\n)$",
        description="Names of form fields that hold the real text, separated by commas.",
        examples=["d7dcf95a06"],
        extra={
            **checked_by(check_text_fields),
            SAID: "names of form fields, separated by commas",
        },
    ),
]


def parse_privacy_url(text: str) -> str:
    """Read `form.privacy_url`; raises ValueError for what is no address of a web page."""
    if text and (text[:4].lower() != "http" or parse_host(text) is None):
        raise ValueError("This has to be a web address such as https://example.org/privacy.")
    return text


PrivacyText = Annotated[str, one_line_or_none(500)]
PrivacyUrl = Annotated[
    str,
    Meta(
        max_length=MAX_ADDRESS_CHARS,
        examples=["https://example.org/privacy"],
        extra_json_schema={"pattern": r"""^([Hh][Tt][Tt][Pp][Ss]?://[^\s<>"]+)?$"""},
        extra=checked_by(parse_privacy_url),
    ),
]
# Some two hundred names; they are read with the site at every request.
MAX_HOSTS_CHARS = 4_000
Hosts = Annotated[
    str,
    Meta(
        max_length=MAX_HOSTS_CHARS,
        description="Hosts whose pages are those of the first origin, separated by commas.",
        examples=["www.blog.example,old.example"],
        extra={
            **checked_by(parse_hosts),
            SAID: "names of hosts, separated by commas",
            FREE_TEXT: FreeText(normalise_line, MAX_HOSTS_CHARS),
        },
    ),
]
Reasons = Annotated[
    dict[ReasonCode, Statement],
    Meta(
        max_length=MAX_REASONS,
        extra={SAID: f"at most {MAX_REASONS} codes with a text of 1 to 500 characters each"},
    ),
]
