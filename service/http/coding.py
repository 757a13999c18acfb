"""Content codings and entity tags of answers that may be cached (RFC 9110, sections 8.4, 8.8 and 12.5.3)."""

import gzip
from base64 import urlsafe_b64encode
from functools import lru_cache
from hashlib import sha256
from typing import Literal

import brotli

Coding = Literal["br", "gzip", "identity"]
# The better one first: of two that a reader likes as well it is taken.
COMPRESSED: tuple[Coding, ...] = ("br", "gzip")
# A trade of bytes for time: both within 3 % of what the highest levels reach on pages of comments.
BROTLI_QUALITY = 5
GZIP_LEVEL = 6
ETAG_BYTES = 16
# No browser's Accept-Encoding is so long.
MAX_REMEMBERED_BYTES = 128


def choose_coding(accepted: bytes) -> Coding:
    """Choose among br, gzip and none what Accept-Encoding prefers."""
    return _recall(accepted) if len(accepted) <= MAX_REMEMBERED_BYTES else _choose(accepted)


def _choose(accepted: bytes) -> Coding:
    items = accepted.decode("latin-1").lower().split(",")
    weights = dict(_weight(item) for item in items if item.strip())
    others = weights.get("*", 0.0)
    weight, best = max(
        ((weights.get(coding, others), coding) for coding in COMPRESSED), key=lambda pair: pair[0]
    )
    return best if weight > 0 else "identity"


# Browsers send a handful of values; made-up ones only push one another out.
_recall = lru_cache(maxsize=256)(_choose)


def _weight(item: str) -> tuple[str, float]:
    coding, _, parameter = item.partition(";")
    name, _, value = parameter.strip().partition("=")
    try:
        return coding.strip(), float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return coding.strip(), 0.0


def encode(body: bytes, coding: Coding) -> bytes:
    """Put bytes into a coding; the same bytes give the same result."""
    if coding == "br":
        encoded: bytes = brotli.compress(body, quality=BROTLI_QUALITY)
        return encoded
    return gzip.compress(body, GZIP_LEVEL, mtime=0) if coding == "gzip" else body


def make_etag(body: bytes, coding: Coding) -> bytes:
    """Give a strong ETag: a hash of the bytes with the coding in it."""
    digest = sha256(coding.encode() + b"\n" + body).digest()[:ETAG_BYTES]
    return b'"' + urlsafe_b64encode(digest).rstrip(b"=") + b'"'


def has_already(if_none_match: bytes, etag: bytes) -> bool:
    """Tell whether If-None-Match names this ETag (weak comparison, RFC 9110, section 13.1.2)."""
    if if_none_match == etag:
        return True
    named = [part.strip().removeprefix(b"W/") for part in if_none_match.split(b",")]
    return etag in named or named == [b"*"]
