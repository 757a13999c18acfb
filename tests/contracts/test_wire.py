"""A connection has as many answers as it has requests, whatever bytes come in whatever pieces.

Each case is some requests, perhaps one that ends the connection, and what comes after it, cut at random. A
model that knows what was put in says what has to come out. A second kind changes bytes anywhere, where only
what holds for all bytes can be asked. GREENROOM_WIRE_CASES sets how many there are.
"""

import asyncio
import os
import re
from collections.abc import Iterator
from random import Random
from typing import Any

import h11
import msgspec
import uvicorn
from litestar.types import Receive, Scope, Send
from uvicorn.server import ServerState

from service.server.protocol import Protocol

CASES = int(os.environ.get("GREENROOM_WIRE_CASES", "3000"))
# Stands in bodies, trailers and what comes after the last request, and must never be asked for.
FORBIDDEN = b"GET /forbidden HTTP/1.1\r\nHost: a\r\nX-Forbidden: 1\r\n\r\n"
CRLF = b"\r\n"
TRAILERS = (
    *(b"X-Forbidden: 1\r\n", b"X-Forwarded-For: 1.1.1.1\r\n", b"Connection: close\r\n"),
    *(b"Proxy-Connection: close\r\n", b"Connection: upgrade\r\nUpgrade: foo\r\n", b"Expect: x\r\n"),
)
TRAILER_ENDS = tuple(b"0\r\n" + trailer + CRLF for trailer in TRAILERS)
# Of the event loop, in which all that has come is answered.
ROUNDS = 40


class Wire(asyncio.Transport):
    """The near end of a connection, which keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("203.0.113.7", 1), "sockname": ("127.0.0.1", 80)})
        self.written = b""
        self.has_ended = self.is_closed = False
        self.is_read = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.has_ended, "something is written after the end"
        self.written += bytes(data)

    def write_eof(self) -> None:
        self.has_ended = True

    def close(self) -> None:
        self.has_ended = self.is_closed = True

    def abort(self) -> None:
        self.has_ended = True

    def is_closing(self) -> bool:
        return self.has_ended

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True


class Part(msgspec.Struct, frozen=True):
    """Something that is sent: its bytes, what it is answered, and what the app sees of it."""

    sent: bytes
    statuses: tuple[int, ...] = (200,)
    seen: str = ""
    is_last: bool = False


def head(method: str, path: str, *lines: bytes) -> bytes:
    return CRLF.join([f"{method} {path} HTTP/1.1".encode(), b"Host: a", *lines, b"", b""])


class Writer:
    """Makes up what somebody sends."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._number = 0

    def case(self) -> tuple[list[bytes], list[Part]]:
        """Give the pieces of a case, and the parts that are answered."""
        parts: list[Part] = []
        for _ in range(self._random.randrange(4)):
            if not (parts and parts[-1].is_last):
                parts.append(self._whole())
        if self._random.random() < 0.7 and not (parts and parts[-1].is_last):
            parts.append(self._last())
        sent = b"".join(part.sent for part in parts)
        if parts and parts[-1].is_last:
            sent += FORBIDDEN * self._random.randrange(3)
        return list(self._cut(sent)), parts

    def mutated(self) -> list[bytes]:
        """Give the pieces of a case in which bytes were changed."""
        pieces, _ = self.case()
        sent = bytearray(b"".join(pieces))
        for _ in range(self._random.randrange(1, 6)):
            if not sent:
                break
            place = self._random.randrange(len(sent))
            change = self._random.randrange(3)
            if change == 0:
                sent[place] = self._random.choice(b"\x00\r\n \t:;,%\x7f\xff0aG")
            elif change == 1:
                del sent[place : place + self._random.randrange(1, 4)]
            else:
                sent[place:place] = self._random.choice(
                    [b"\r\n", b"\n", b"\r", b" ", b"0\r\n\r\n", b"Content-Length: 3\r\n", b":"]
                )
        return list(self._cut(bytes(sent)))

    def _cut(self, sent: bytes) -> Iterator[bytes]:
        while sent:
            size = self._random.choice([1, 2, 7, 40, 200, 10_000])
            yield sent[:size]
            sent = sent[size:]

    def _body(self) -> bytes:
        return self._random.choice([b"", b"hi", FORBIDDEN, FORBIDDEN * 2, b"0\r\n\r\n" + FORBIDDEN])

    def _framed(self, *lines: bytes) -> tuple[bytes, bytes]:
        """Give a body in either framing: the lines of the head with it, and its bytes."""
        body = self._body()
        if self._random.random() < 0.5:
            return CRLF.join([*lines, b"Content-Length: %d" % len(body)]), body
        sizes = [body[:3], body[3:]]
        chunks = b"".join(b"%x;a=b\r\n%b\r\n" % (len(one), one) for one in sizes if one)
        trailer = self._random.choice([b"", b"", *TRAILERS])
        return CRLF.join([*lines, b"Transfer-Encoding: chunked"]), chunks + b"0\r\n" + trailer + CRLF

    def _whole(self) -> Part:
        self._number += 1
        path = f"/{self._number}"
        if self._random.random() < 0.4:
            return Part(head("GET", path), seen=f"GET {path}")
        lines, body = self._framed()
        # After a trailer nothing more is read: the parser may have heeded it.
        has_trailer = body.endswith(TRAILER_ENDS)
        return Part(head("POST", path, lines) + body, seen=f"POST {path}", is_last=has_trailer)

    def _last(self) -> Part:
        self._number += 1
        path = f"/{self._number}"
        kind = self._random.randrange(6)
        if kind == 0:
            protocol = self._random.choice([b"foo", b"websocket", b"h2c"])
            wish = b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: A\r\nUpgrade: " + protocol
            lines, body = self._framed(wish)
            return Part(head("POST", path, lines) + body, seen=f"POST {path}", is_last=True)
        if kind == 1:
            return Part(head("GET", path, b"Connection: close"), seen=f"GET {path}", is_last=True)
        if kind == 2:
            return Part(head("CONNECT", "a:80"), (400,), is_last=True)
        if kind == 3:
            return Part(f"GET {path} HTTP/1.1\r\n\r\n".encode(), (400,), is_last=True)
        if kind == 4:
            bad = b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"
            return Part(head("POST", path)[:-2] + bad, (400,), is_last=True)
        return Part(b"\x16\x03\x01\x02\x00\x01", (400,), is_last=True)


class App:
    """Answers everything alike, and keeps what it was asked."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.headers: set[bytes] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked: Any = scope
        self.headers |= {name for name, _ in asked["headers"]}
        while True:
            message: Any = await receive()
            if message["type"] == "http.disconnect":
                return
            if not message["more_body"]:
                break
        self.seen.append(f"{asked['method']} {asked['path']}")
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok", "more_body": False})


async def send(pieces: list[bytes]) -> tuple[App, Wire]:
    """Send pieces over a connection that nobody else has."""
    app, wire, state = App(), Wire(), ServerState()
    config = uvicorn.Config(app, http=Protocol, ws="none", interface="asgi3", log_config=None)
    config.load()
    protocol = Protocol(config=config, server_state=state, app_state={})
    protocol.connection_made(wire)
    for piece in pieces:
        protocol.data_received(piece)
        if len(piece) % 3 == 0:
            await asyncio.sleep(0)
    for _ in range(ROUNDS):
        await asyncio.sleep(0)
    was_ended = wire.has_ended
    # Whoever still waits for the rest of a body waits in vain.
    protocol.connection_lost(None)
    if state.tasks:
        await asyncio.wait(state.tasks)
    wire.has_ended = was_ended
    return app, wire


def read_answers(written: bytes, requests: int) -> list[int]:
    """Read what was written as a strict client does; raises h11.RemoteProtocolError."""
    client = h11.Connection(h11.CLIENT)
    statuses: list[int] = []
    if not written:
        return []
    client.receive_data(written)
    for _ in range(requests):
        if client.our_state is h11.MUST_CLOSE:
            break
        client.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
        client.send(h11.EndOfMessage())
        while True:
            event = client.next_event()
            if event is h11.NEED_DATA:
                return statuses
            if isinstance(event, h11.Response):
                statuses.append(event.status_code)
            if isinstance(event, h11.EndOfMessage):
                break
        if client.our_state is h11.DONE:
            client.start_next_cycle()
    return statuses


async def test_each_request_has_its_answer_and_nothing_else_is_one() -> None:
    for seed in range(CASES):
        pieces, parts = Writer(Random(seed)).case()  # noqa: S311 - no secret, and the same in each run.
        app, wire = await send(pieces)
        expected = [status for part in parts for status in part.statuses]
        # Of what is no HTTP the beginning may look like a method.
        answers = [400 if one == 501 else one for one in read_answers(wire.written, len(expected) + 1)]
        assert answers == expected, seed
        assert app.seen == [part.seen for part in parts if part.seen], seed
        assert not app.headers & {b"x-forbidden", b"x-forwarded-for", b"upgrade"}, seed
        assert wire.has_ended == bool(parts and parts[-1].is_last), seed


async def test_whatever_the_bytes_are_answers_can_be_read() -> None:
    for seed in range(CASES):
        pieces = Writer(Random(seed)).mutated()  # noqa: S311
        app, wire = await send(pieces)
        statuses = read_answers(wire.written, 20)
        assert set(statuses) <= {200, 400, 408, 414, 431, 501}, seed
        assert len(re.findall(rb"HTTP/1\.1 \d+ ", wire.written)) == len(statuses), seed
        assert len(app.seen) == statuses.count(200), seed
