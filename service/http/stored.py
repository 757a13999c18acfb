"""A public answer as it is stored: its bytes in every coding that was asked for, with all its headers.

Having been through the router and the edge once, it is sent again without either (RFC 9111, section 2).
"""

import asyncio
import gzip
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, Literal, Protocol

import brotli
from litestar.types import HTTPScope, Receive, Scope, Send

from service.http.request_ids import HEADER
from service.http.shortcut import join_head, write_at_once
from service.text.weights import read_weights

Coding = Literal["br", "gzip", "identity"]
# The better one first: of two that a reader likes as well it is taken.
COMPRESSED: tuple[Coding, ...] = ("br", "gzip")
# A trade of bytes for time: both within 3 % of what the highest levels reach on pages of comments.
BROTLI_QUALITY = 5
GZIP_LEVEL = 6
ETAG_BYTES = 16
# No browser's Accept-Encoding is so long.
MAX_REMEMBERED_BYTES = 128
# Below this a coding saves nothing that fits into fewer packets.
MIN_CODED_BYTES = 512
# From here on a coding takes longer than other requests should wait for it.
MAX_CODED_INLINE_BYTES = 65_536
# What belongs to one variant, and not to the answer as such.
_OF_A_VARIANT = frozenset({b"content-length", b"content-encoding", b"etag"})
# The member of the message by which a handler's app hands a stored response to the edge.
STORED = "stored_response"
Header = tuple[bytes, bytes]


class Variant:
    """One coding of a stored response: its body, and its head as 200 and as 304."""

    __slots__ = ("_changed", "_unchanged", "body", "etag")

    def __init__(self, headers: Sequence[Header], body: bytes, coding: Coding) -> None:
        self.etag = _make_etag(body, coding)
        self.body = _encode(body, coding)
        tagged = [*headers, (b"etag", self.etag)]
        coded = [] if coding == "identity" else [(b"content-encoding", coding.encode())]
        length = (b"content-length", str(len(self.body)).encode())
        self._changed = ResponseStart(200, [*tagged, *coded, length])
        # RFC 9110, section 15.4.5: the headers of the 200, without those that tell of its body.
        self._unchanged = ResponseStart(304, [one for one in tagged if one[0] != b"content-type"])

    @property
    def size_bytes(self) -> int:
        """What the body takes, and the two heads, each of which is there twice."""
        heads = len(self._changed.on_wire) + len(self._unchanged.on_wire)
        return len(self.body) + 2 * heads

    async def send(self, tags: bytes | None, is_head: bool, send: Send, own: Header) -> int:
        """Answer a reader who has what `tags` (If-None-Match) name; gives the status.

        `own` is the header that belongs to this request alone.
        """
        if tags is not None and _matches(tags, self.etag):
            start, body = self._unchanged, b""
        else:
            start, body = self._changed, b"" if is_head else self.body
        if not write_at_once(send, start.on_wire, own, body):
            headers = [*start.headers, own]
            await send({"type": "http.response.start", "status": start.status, "headers": headers})
            await send({"type": "http.response.body", "body": body, "more_body": False})
        return start.status


class ResponseStart:
    """Status and headers of an answer, for the server and as they stand on the wire."""

    __slots__ = ("headers", "on_wire", "status")

    def __init__(self, status: int, headers: list[Header]) -> None:
        self.status = status
        self.headers = headers
        self.on_wire = join_head(status, headers)


class StoredResponse:
    """A public answer that a handler returns: an ASGI app that hands its bytes and headers to the edge.

    The headers are the handler's until it goes out of the edge for the first time, and then all.
    """

    __slots__ = ("_lock", "_variants", "body", "has_grown", "headers", "template")

    def __init__(self, body: bytes, headers: Sequence[Header] = ()) -> None:
        self.body = body
        self.headers = headers
        self.template: str | None = None
        self.has_grown = True
        """Whether a variant was made since somebody looked how much room all take."""
        self._variants: dict[Coding, Variant] = {}
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the edge send it."""
        message: Any = {"type": "http.response.greenroom", STORED: self}
        await send(message)

    @property
    def size_bytes(self) -> int:
        """The bytes of all variants; that without a coding shares its body with the answer."""
        shared = 0 if "identity" in self._variants else len(self.body)
        return shared + sum(one.size_bytes for one in self._variants.values())

    def complete(self, template: str, headers: Iterable[Header]) -> None:
        """Take the route and all headers, as they go out of the edge."""
        self.template = template
        self.headers = [pair for pair in headers if pair[0].lower() not in _OF_A_VARIANT]

    async def send(self, scope: HTTPScope, send: Send, request_id: bytes) -> int:
        """Answer a GET or HEAD by the variant that its reader prefers, or with 304; gives the status."""
        sent = dict(scope["headers"])
        coding = self._choose(sent.get(b"accept-encoding", b""))
        variant = self._variants.get(coding) or await self._make_variant(coding)
        is_head = scope["method"] == "HEAD"
        own = (HEADER, request_id)
        return await variant.send(sent.get(b"if-none-match"), is_head, send, own)

    def _choose(self, accepted: bytes) -> Coding:
        if len(self.body) < MIN_CODED_BYTES:
            return "identity"
        return _recall(accepted) if len(accepted) <= MAX_REMEMBERED_BYTES else choose_coding(accepted)

    async def _make_variant(self, coding: Coding) -> Variant:
        async with self._lock:
            if (known := self._variants.get(coding)) is not None:
                return known
            if len(self.body) <= MAX_CODED_INLINE_BYTES:
                variant = Variant(self.headers, self.body, coding)
            else:
                variant = await asyncio.to_thread(Variant, self.headers, self.body, coding)
            self._variants[coding] = variant
            self.has_grown = True
        return variant


def encode_headers(media_type: str, headers: Mapping[str, str]) -> list[Header]:
    """Give the headers of a stored response; their names are in lower case."""
    told = {**headers, "content-type": media_type}
    return [(name.encode(), value.encode()) for name, value in told.items()]


class ResponseStore(Protocol):
    """Where the edge looks for a stored response before it asks the router."""

    def find(self, scope: HTTPScope) -> StoredResponse | None:
        """Give the response to a request, if it is here and fresh."""

    def note_sent(self, scope: HTTPScope, stored: StoredResponse) -> None:
        """Take note that a response has been sent to this request, and which variants it has by now."""


def choose_coding(accepted: bytes) -> Coding:
    """Choose among br, gzip and none what Accept-Encoding prefers (RFC 9110, section 12.5.3)."""
    weights = dict(read_weights(accepted.decode("latin-1")))
    others = weights.get("*", 0.0)
    best = max(COMPRESSED, key=lambda coding: weights.get(coding, others))
    return best if weights.get(best, others) > 0 else "identity"


# Browsers send a handful of values; made-up ones only push one another out.
_recall = lru_cache(maxsize=256)(choose_coding)


def _encode(body: bytes, coding: Coding) -> bytes:
    """Put bytes into a coding; the same bytes give the same result."""
    if coding == "br":
        encoded: bytes = brotli.compress(body, quality=BROTLI_QUALITY)
        return encoded
    return gzip.compress(body, GZIP_LEVEL, mtime=0) if coding == "gzip" else body


def _make_etag(body: bytes, coding: Coding) -> bytes:
    """Give a strong ETag: a hash of the bytes with the coding in it."""
    digest = sha256(coding.encode() + b"\n" + body).digest()[:ETAG_BYTES]
    return b'"' + urlsafe_b64encode(digest).rstrip(b"=") + b'"'


def _matches(if_none_match: bytes, etag: bytes) -> bool:
    """Tell whether If-None-Match names this ETag (weak comparison, RFC 9110, section 13.1.2)."""
    if if_none_match == etag:
        return True
    named = [part.strip().removeprefix(b"W/") for part in if_none_match.split(b",")]
    return etag in named or named == [b"*"]
