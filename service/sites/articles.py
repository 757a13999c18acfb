"""The canonical key of an article: one page stays one page, whatever a link to it carried along.

Also the canonical form of an origin, since an article's host is compared with those of the site.
"""

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from ipaddress import IPv6Address
from urllib.parse import unquote, unquote_to_bytes, urlsplit

import idna

from service.errors import FieldRefused
from service.http.wire import MAX_ARTICLE_CHARS
from service.text.hosts import MAX_PORT
from service.text.nfc import nfc
from service.text.normalising import has_visible

MAX_KEY_CHARS = 512

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# Scheme and authority as in RFC 3986, appendix B, then all but the fragment.
_WEB_ADDRESS = re.compile(r"(?:(https?):)?//([^/?#]*)([^#]*)", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^\s:@\[\]\\%]{1,253})(?::([0-9]{0,5}))?", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?")
_DEFAULT_PORTS = {"http": "80", "https": "443"}

# Triplets right after a stray `%` stay: decoded, they could make a triplet that nobody wrote.
_TRIPLETS = re.compile(r"(?<!%)(?<!%[0-9A-Fa-f])(?:%[0-9A-Fa-f]{2})+")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]|[^\x00-\x9f\udc80-\udcff\s]")
_TRACKING = re.compile(r"utm_.*|fbclid|gclid|msclkid|mc_cid|mc_eid|igshid|ref_src", re.DOTALL)


class ArticleRefused(FieldRefused):
    """A key cannot name an article of the site; `detail` says why."""


def normalise_article(
    raw: str,
    *,
    origins: Sequence[str],
    aliases: Collection[str] = (),
    keep_trailing_slash: bool = False,
) -> str:
    """Give the canonical key of an article; a canonical key stays as it is.

    `origins` are in the form of `normalise_origin`, `aliases` in that of `parse_hosts`: what lies there lies
    on the first origin. Raises ArticleRefused.
    """
    key, host = clean_article(raw), ""
    if found := _WEB_ADDRESS.match(key):
        host, key = _allow_host(found[1], found[2], origins, aliases), found[3] or "/"
        key = key if key.startswith("/") else f"/{key}"
    if key.startswith("/"):
        key = host + _normalise_address(key, keep_trailing_slash)
    if len(key) > MAX_KEY_CHARS:
        detail = f"An article's key has at most {MAX_KEY_CHARS} characters."
        raise ArticleRefused("article_too_long", detail)
    return key


def clean_article(raw: str) -> str:
    """Give what was sent as an article, of whatever site; raises ArticleRefused for what can name none."""
    if len(raw) > MAX_ARTICLE_CHARS:
        detail = f"An article's address has at most {MAX_ARTICLE_CHARS:,} characters as it is written."
        raise ArticleRefused("article_too_long", detail)
    key = nfc(raw).strip()
    if not has_visible(key):
        raise ArticleRefused("article_required", "Name the article: its address, path or key.")
    if _CONTROLS.search(key):
        raise ArticleRefused("article_invalid", "An article's key has no control characters.")
    return key


def normalise_origin(raw: str) -> str:
    """Give `scheme://host[:port]` in lower case, IDNA encoded, without a default port.

    As RFC 6454, section 6.2. Raises ValueError for what is not the origin of a web page.
    """
    found = _WEB_ADDRESS.fullmatch(raw.strip())
    if found is None or not found[1] or found[3] not in {"", "/"}:
        raise ValueError("An origin is http:// or https://, a host and perhaps a port, nothing else.")
    return f"{found[1].lower()}://{_normalise_authority(found[1], found[2])}"


def origin_of(url: str | None) -> str | None:
    """Give the origin of a web address; None for anything else."""
    try:
        parts = urlsplit(url or "")
        return normalise_origin(f"{parts.scheme}://{parts.netloc}")
    except ValueError:
        return None


def check_origin(raw: str) -> str:
    """Give an origin in its canonical form; raises FieldRefused."""
    try:
        return normalise_origin(raw)
    except ValueError as error:
        raise FieldRefused("origins_invalid", str(error)) from None


# Every request asks for them, and they are the same for as long as nobody changes the site.
@lru_cache(maxsize=32)
def parse_hosts(text: str) -> frozenset[str]:
    """Read hosts, each perhaps with a port, that are separated by commas; raises ValueError."""
    names = text.split(",") if text.strip() else []
    return frozenset(_normalise_authority("https", name.strip()) for name in names)


def _allow_host(scheme: str | None, authority: str, origins: Sequence[str], aliases: Collection[str]) -> str:
    """Give what a key starts with for this host: nothing for the first origin's, else `//host`."""
    hosts = [origin.partition("//")[2] for origin in origins]
    try:
        host = _normalise_authority(scheme, authority)
    except ValueError:
        host = ""
    if host in aliases:
        return ""
    if host not in hosts:
        raise ArticleRefused("article_not_allowed", "This host is not one of the site's origins.")
    return "" if host == hosts[0] else f"//{host}"


def _normalise_authority(scheme: str | None, authority: str) -> str:
    """Give `host[:port]` in lower case; user information is refused, with ValueError."""
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        raise ValueError("The host is missing or malformed, or comes with user information.")
    if found[2] and not 1 <= int(found[2]) <= MAX_PORT:
        raise ValueError(f"A port is a number from 1 to {MAX_PORT}.")
    host, port = _normalise_host(found[1].lower()), (found[2] or "").lstrip("0")
    if not port or port == _DEFAULT_PORTS.get((scheme or "").lower()):
        return host
    return f"{host}:{port}"


def _normalise_host(host: str) -> str:
    try:
        if host.startswith("["):
            return f"[{IPv6Address(host[1:-1])}]"
        ascii_host = host if host.isascii() else idna.encode(host, uts46=True).decode()
    except ValueError:
        # What these two say is for programmers; IDNAError is a ValueError.
        ascii_host = ""
    if not _HOST.fullmatch(ascii_host):
        raise ValueError("This is not the name of a host.")
    return ascii_host


def _normalise_address(address: str, keep_trailing_slash: bool) -> str:
    """Normalise a path with its query. White space is encoded, as a browser would have done."""
    path, _, query = re.sub(r"\s", lambda blank: _encode(blank[0]), address).partition("?")
    path = nfc(_TRIPLETS.sub(_decode_triplets, path))
    kept = [part for part in query.split("&") if part and not _is_tracking(part)]
    return _normalise_path(path, keep_trailing_slash) + ("?" + "&".join(kept) if kept else "")


def _is_tracking(parameter: str) -> bool:
    return _TRACKING.fullmatch(unquote(parameter.partition("=")[0])) is not None


def _decode_triplets(found: re.Match[str]) -> str:
    """Decode unreserved characters (RFC 3986, section 2.3) and UTF-8, but no control or blank."""
    text = unquote_to_bytes(found[0]).decode("utf-8", "surrogateescape")
    return "".join(char if _UNRESERVED.match(char) else _encode(char) for char in text)


def _encode(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogateescape"))


def _normalise_path(path: str, keep_trailing_slash: bool) -> str:
    """Remove dot segments (RFC 3986, section 5.2.4), then empty ones, then the last slash."""
    segments: list[str] = []
    *_, last = parts = path.split("/")
    for segment in parts[1:]:
        if segment == "..":
            del segments[-1:]
        elif segment != ".":
            segments.append(segment)
    clean = "/" + "/".join(filter(None, segments))
    ends_in_slash = keep_trailing_slash and clean != "/" and last in {"", ".", ".."}
    return f"{clean}/" if ends_in_slash else clean
