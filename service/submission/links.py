"""The one rule for the address of a commenter's own page, wherever it comes from or is shown."""

import re

from service.errors import FieldRefused
from service.sites.articles import normalise_origin
from service.text.normalising import normalise_line

MAX_URL_CHARS = 2_000

# Whoever needs one of these in an address can percent-encode it.
_FORBIDDEN = re.compile(r"""[\s"`<>\\]""")
# A name with a dot before a colon is a host with its port, not a scheme.
_SCHEME = re.compile(r"([a-z][a-z0-9+-]*):", re.IGNORECASE)
_ORIGIN = re.compile(r"https?://[^/?#]*", re.IGNORECASE)


# What old forms hold before anybody has typed something.
_BARE_SCHEME = re.compile(r"(https?:?/*)?", re.IGNORECASE)


class LinkRefused(FieldRefused):
    """The address of a page cannot be taken."""


def check_url(raw: str) -> str | None:
    """Give an absolute http or https address, normalised as a line; None where only a scheme is there.

    What reads as a host without a scheme gets https. Raises LinkRefused.
    """
    url = normalise_line(raw)
    if _BARE_SCHEME.fullmatch(url):
        return None
    scheme = _SCHEME.match(url)
    if scheme and scheme[1].lower() not in {"http", "https"}:
        raise LinkRefused("url_not_allowed", "Only http and https addresses are taken.")
    if not scheme and "." in url.removeprefix("//").partition("/")[0]:
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
        normalise_origin(origin[0])
    except ValueError:
        return False
    return True
