"""What values the settings of a site may have: each kind with its bounds and what reads it."""

from typing import Annotated

from msgspec import Meta

from service.http.tidy import FREE_TEXT, FreeText, one_line_or_none, some_lines
from service.http.told import SAID, checked_by
from service.rate_limiting.rules import LIMIT_SYNTAX, parse_limit
from service.sites.articles import parse_hosts
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


LimitText = Annotated[
    str,
    Meta(
        description="`N/second|minute|hour|day`, or `off`.",
        examples=["10/minute"],
        extra_json_schema={"pattern": rf"^(off|{LIMIT_SYNTAX.pattern})(?!\n)$"},
        extra=checked_by(parse_limit),
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
