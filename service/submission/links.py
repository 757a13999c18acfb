"""The one rule for the address of a commenter's own page, wherever it comes from or is shown."""

import re

from service.errors import FieldRefused
from service.sites.articles import normalise_origin
from service.text.normalising import normalise_line

MAX_URL_CHARS = 2_000

# Whoever needs one of these in an address can percent-encode it; none can then end an attribute.
_FORBIDDEN = re.compile(r"""[\s"'`<>\\]""")
# A name with a dot before a colon is a host with its port, not a scheme.
_SCHEME = re.compile(r"([a-z][a-z0-9+-]*):", re.IGNORECASE)
_ORIGIN = re.compile(r"https?://[^/?#]*", re.IGNORECASE)


class LinkRefused(FieldRefused):
    """The address of a page cannot be taken; `suggestion` is what may have been meant."""


def check_url(raw: str) -> str:
    """Give an absolute http or https address, normalised as a line. Raises LinkRefused."""
    url = normalise_line(raw)
    if len(url) > MAX_URL_CHARS:
        raise LinkRefused("url_too_long", f"An address has at most {MAX_URL_CHARS:,} characters.")
    scheme = _SCHEME.match(url)
    if scheme and scheme[1].lower() not in {"http", "https"}:
        raise LinkRefused("url_not_allowed", "Only http and https addresses are taken.")
    if not _is_web_address(url):
        detail = "This is not a web address of the form https://example.org."
        raise LinkRefused("url_invalid", detail, _suggest_address(url))
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


def _suggest_address(url: str) -> str | None:
    """Put the scheme before a bare host or `//host`, if that makes an address."""
    meant = f"https://{url.removeprefix('//')}"
    host = meant.removeprefix("https://").partition("/")[0]
    return meant if "." in host and _is_web_address(meant) and len(meant) <= MAX_URL_CHARS else None
