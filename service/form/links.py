"""The one rule for the address of a commenter's own page, wherever it comes from or is shown."""

import re

from service.errors import FieldRefused
from service.sites.articles import normalise_origin
from service.text.links import is_looked_up
from service.text.normalising import normalise_line

MAX_URL_CHARS = 2_000
# As near to what is checked as a pattern comes; blanks are none.
URL_PATTERN = r"""^\s*([Hh][Tt][Tt][Pp][Ss]?://([^\s/?#@"`<>\\%]+([/?#][^\s"`<>\\]*)?)?)?\s*$"""

# Whoever needs one of these in an address can percent-encode it.
_FORBIDDEN = re.compile(r"""[\s"`<>\\]""")
# A name with a dot before a colon is a host with its port, not a scheme.
_SCHEME = re.compile(r"([a-z][a-z0-9+-]*):", re.IGNORECASE)
_ORIGIN = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
# What old forms hold before anybody has typed something, and what it is when a whole address is typed there.
_BARE_SCHEME = re.compile(r"(https?:?/*)*", re.IGNORECASE)
_SCHEME_TWICE = re.compile(r"(https?:/*)+(?=https?:)", re.IGNORECASE)
# A number such as "1.5" browsers would take for an address of the network, as they do all four of its parts.
_NUMBER = re.compile(r"(?!\d+(\.\d+){3}(:|\Z))[\d.]+(:\d*)?")


class LinkRefused(FieldRefused):
    """The address of a page cannot be taken."""


def check_url(raw: str) -> str | None:
    """Give an absolute http or https address, normalised as a line; None where only a scheme is there.

    What reads as a host without a scheme gets https. Raises LinkRefused.
    """
    url = _SCHEME_TWICE.sub("", normalise_line(raw))
    if _BARE_SCHEME.fullmatch(url):
        return None
    scheme = _SCHEME.match(url)
    if scheme and scheme[1].lower() not in {"http", "https"}:
        raise LinkRefused("url_not_allowed", "Only http and https addresses are taken.")
    host = re.split("[/?#]", url.removeprefix("//"))[0]
    if not scheme and "." in host and not _NUMBER.fullmatch(host):
        url = f"https://{url.removeprefix('//')}"
    if len(url) > MAX_URL_CHARS:
        raise LinkRefused("url_too_long", f"An address has at most {MAX_URL_CHARS:,} characters.")
    if not _is_web_address(url):
        raise LinkRefused("url_invalid", "This is not a web address such as https://example.org.")
    return url


def _is_web_address(url: str) -> bool:
    origin = _ORIGIN.match(url)
    if origin is None or _FORBIDDEN.search(url):
        return False
    try:
        return is_looked_up(normalise_origin(origin[0]).partition("//")[2])
    except ValueError:
        return False
