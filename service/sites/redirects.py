"""Where a browser goes after a form was posted, and where links lead back: never out of a site's origins."""

import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote, urlencode, urljoin, urlsplit

from service.http.told import is_storable
from service.sites.articles import origin_of

# Browsers read a backslash as a slash, and drop controls and blanks; `//` starts another host.
_TREACHEROUS = re.compile(r"[\\\x00-\x20\x7f-\x9f]|^//")
MAX_URL_CHARS = 2_000
# Under which the page of a form is named, where the Referer of that time is no longer there.
FROM_PAGE = "from_page"
# What forms are posted to; nobody came from there.
_TARGET = "/wp-comments-post.php"
# In a query it is of an e-mail address, and the address of a receipt goes to many places.
_AT = re.compile("@|%(?:25)*40")
_SAFE = "%/:?#[]@!$&'()*+,;=~"


def choose_redirect(redirect_to: str | None, referer: str | None, origins: Sequence[str]) -> str | None:
    """Give the absolute URL to go to, or None where the wish is absent or leads anywhere else.

    A relative wish resolves against the Referer's origin if that is allowed, else the first allowed one; one
    that only names a place on the page needs the page, and so the whole Referer.
    """
    wish = (redirect_to or "").strip()
    if not wish or len(wish) > MAX_URL_CHARS or _TREACHEROUS.search(wish):
        return None
    base = next((origin for origin in [origin_of(referer), *origins] if origin in origins), None)
    if wish.startswith("#"):
        return _on_page(referer, wish) if origin_of(referer) in origins else None
    try:
        target = urljoin(f"{base}/", wish) if base else wish
    except ValueError:
        # Such as `https://[`, whose host is none.
        return None
    # A header holds ASCII only; what is encoded already stays as it is.
    return quote(target, safe=_SAFE) if origin_of(target) in origins else None


def find_page(urls: Iterable[object], origins: Sequence[str]) -> str | None:
    """Give the first of some addresses that is a page of the site, without the place on it; None for none."""
    return next((page for url in urls if (page := _keep_page(url, origins))), None)


def _keep_page(url: object, origins: Sequence[str]) -> str | None:
    page = url.partition("#")[0] if isinstance(url, str) else ""
    path, _, query = page.partition("?")
    if _AT.search(query):
        page = path
    # A lone surrogate stands for bytes that are no text, and cannot be encoded.
    if not is_storable(page) or len(page) > MAX_URL_CHARS or _TREACHEROUS.search(page):
        return None
    is_page = origin_of(page) in origins and not urlsplit(page).path.endswith(_TARGET)
    return quote(page, safe=_SAFE) if is_page else None


def name_page(page: str | None) -> str:
    """Give the query that names a page in the address of a receipt."""
    return f"?{urlencode({FROM_PAGE: page})}" if page else ""


def _on_page(referer: str | None, place: str) -> str | None:
    """Give the place on the page that a Referer names; one that was cut to its origin names none."""
    page = (referer or "").partition("#")[0]
    is_whole = len(page) <= MAX_URL_CHARS and urlsplit(page).path not in {"", "/"}
    return quote(page + place, safe=_SAFE) if is_whole else None
