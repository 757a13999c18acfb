"""A public answer as bytes in memory, in every coding that was asked for, with all its headers.

What is here has been through the router and the edge once, so that it can be sent again by neither.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Protocol

from litestar.types import HTTPScope, Message, Send

from service.http.coding import Coding, choose_coding, encode, has_already, make_etag
from service.http.request_ids import HEADER
from service.http.shortcut import join_head, write_at_once

# Below this a coding saves nothing that fits into fewer packets.
MIN_CODED_BYTES = 512
# From here on a coding takes longer than other requests should wait for it.
MAX_CODED_INLINE_BYTES = 65_536
# What belongs to one coding, and not to the answer as such.
_OF_A_CODING = frozenset({b"content-length", b"content-encoding", b"etag"})
# Under this name a handler leaves a kept answer in the state of its request, for the edge to send.
KEPT = "kept_answer"
Header = tuple[bytes, bytes]


class Variant:
    """One coding of an answer: its body, and its head as 200 and as 304."""

    __slots__ = ("_changed", "_unchanged", "body", "etag")

    def __init__(self, headers: Sequence[Header], body: bytes, coding: Coding) -> None:
        self.etag = make_etag(body, coding)
        self.body = encode(body, coding)
        tagged = [*headers, (b"etag", self.etag)]
        coded = [] if coding == "identity" else [(b"content-encoding", coding.encode())]
        length = (b"content-length", str(len(self.body)).encode())
        self._changed = ResponseHead(200, [*tagged, *coded, length])
        # RFC 9110, section 15.4.5: the headers of the 200, without those that tell of its body.
        self._unchanged = ResponseHead(304, [one for one in tagged if one[0] != b"content-type"])

    @property
    def head_bytes(self) -> int:
        """What the two heads take, each of which is there twice."""
        return 2 * (len(self._changed.on_wire) + len(self._unchanged.on_wire))

    async def send(self, tags: bytes | None, is_head: bool, send: Send, own: Header) -> int:
        """Answer a reader who has what `tags` (If-None-Match) name; gives the status.

        `own` is the header that belongs to this request alone.
        """
        if tags is not None and has_already(tags, self.etag):
            head, body = self._unchanged, b""
        else:
            head, body = self._changed, b"" if is_head else self.body
        if not write_at_once(send, head.on_wire, own, body):
            await send(head.start(own))
            await send({"type": "http.response.body", "body": body, "more_body": False})
        return head.status


class ResponseHead:
    """Status and headers of an answer, for the server and as they stand on the wire."""

    __slots__ = ("headers", "on_wire", "status")

    def __init__(self, status: int, headers: list[Header]) -> None:
        self.status = status
        self.headers = headers
        self.on_wire = join_head(status, headers)

    def start(self, own: Header) -> Message:
        """Give the message that an answer begins with; whoever gets it may change it."""
        headers = [*self.headers, own]
        return {"type": "http.response.start", "status": self.status, "headers": headers}


class Kept:
    """One public answer: its body, and once it went out of the edge for the first time, its headers."""

    __slots__ = ("_headers", "_lock", "_variants", "body", "has_grown", "template")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.template = ""
        self.has_grown = True
        """Whether a coding was made since somebody looked how much room all take."""
        self._headers: list[Header] = []
        self._variants: dict[Coding, Variant] = {}
        self._lock = asyncio.Lock()

    @property
    def size_bytes(self) -> int:
        """The bytes of all its codings and their heads."""
        variants = self._variants.items()
        coded = (len(one.body) for coding, one in variants if coding != "identity")
        return len(self.body) + sum(coded) + sum(one.head_bytes for _, one in variants)

    def complete(self, template: str, headers: Iterable[Header]) -> None:
        """Take the route and the headers of the answer, as they go out of the edge."""
        if not self._headers:
            self.template = template
            self._headers = [pair for pair in headers if pair[0].lower() not in _OF_A_CODING]

    async def send(self, scope: HTTPScope, send: Send, request_id: bytes) -> int:
        """Answer a GET or HEAD in the coding that its reader prefers, or with 304; gives the status."""
        sent = dict(scope["headers"])
        coding = self._choose(sent.get(b"accept-encoding", b""))
        variant = self._variants.get(coding) or await self._make_variant(coding)
        is_head = scope["method"] == "HEAD"
        own = (HEADER, request_id)
        return await variant.send(sent.get(b"if-none-match"), is_head, send, own)

    def _choose(self, accepted: bytes) -> Coding:
        return choose_coding(accepted) if len(self.body) >= MIN_CODED_BYTES else "identity"

    async def _make_variant(self, coding: Coding) -> Variant:
        async with self._lock:
            if (known := self._variants.get(coding)) is not None:
                return known
            if len(self.body) <= MAX_CODED_INLINE_BYTES:
                variant = Variant(self._headers, self.body, coding)
            else:
                variant = await asyncio.to_thread(Variant, self._headers, self.body, coding)
            self._variants[coding] = variant
            self.has_grown = True
        return variant


class AnswerMemory(Protocol):
    """Where the edge looks for an answer before it asks the router."""

    def find(self, scope: HTTPScope) -> Kept | None:
        """Give the answer to a request, if it is here and true."""

    def settle(self, scope: HTTPScope, kept: Kept) -> None:
        """Take note that a kept answer has just gone out to this request by way of the router."""
