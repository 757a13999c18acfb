"""Of what somebody sends ahead little is read before its turn, and nobody waits for who is gone."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
from litestar.types import Receive, Scope, Send
from uvicorn.server import ServerState

from service.server.protocol import Protocol
from service.server.reading import MAX_HEADERS_BYTES
from tests.contracts.test_wire import Wire

GET = b"GET /a HTTP/1.1\r\nhost:\r\n\r\n"
MANY = 9_000
# What is read at once of one piece, in requests as short as can be.
AHEAD = 1_024 // len(GET) + 2


class Patient:
    """An app that answers when it is let, and remembers who went."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.asked = 0
        self.gone = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        letting = asyncio.ensure_future(self.may_answer.wait())
        while not letting.done():
            message = asyncio.ensure_future(receive())
            await asyncio.wait([letting, message], return_when=asyncio.FIRST_COMPLETED)
            if message.done() and (await message)["type"] == "http.disconnect":
                self.gone += 1
                letting.cancel()
                return
            if message.done() and not message.result().get("more_body"):
                continue
            message.cancel()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def connect(app: Any) -> tuple[Protocol, Wire]:
    config = uvicorn.Config(app, http=Protocol, ws="none", interface="asgi3", log_config=None)
    config.load()
    protocol, wire = Protocol(config=config, server_state=ServerState(), app_state={}), Wire()
    protocol.connection_made(wire)
    return protocol, wire


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - Nothing tells of it.
            await asyncio.sleep(0)


async def test_few_requests_are_made_of_what_comes_before_its_turn_and_none_is_lost() -> None:
    app = Patient()
    protocol, wire = connect(app)
    protocol.data_received(GET * MANY)
    for _ in range(20):
        await asyncio.sleep(0)
    assert app.asked == 1
    assert len(protocol.pipeline) <= AHEAD
    app.may_answer.set()
    await until(lambda: wire.written.count(b" 204 ") == MANY)
    protocol.connection_lost(None)


async def test_a_body_that_waits_with_the_next_request_is_read_in_its_turn() -> None:
    app = Patient()
    protocol, wire = connect(app)
    body = b"x" * 100_000
    post = b"POST /a HTTP/1.1\r\nhost:\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    chunked = b"POST /a HTTP/1.1\r\nhost:\r\ntransfer-encoding: chunked\r\n\r\n"
    chunked += b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n"
    app.may_answer.set()
    protocol.data_received((post + chunked + GET) * 2)
    await until(lambda: wire.written.count(b" 204 ") == 6)
    protocol.connection_lost(None)


@pytest.mark.parametrize("size", [1_000, 50_000])
@pytest.mark.parametrize("is_chunked", [True, False])
async def test_of_a_body_that_nobody_takes_yet_little_is_read(is_chunked: bool, size: int) -> None:
    may_take, taken = asyncio.Event(), 0

    async def take_late(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal taken
        await may_take.wait()
        while (message := await receive())["type"] == "http.request" and message["more_body"]:
            taken += len(message["body"])

    protocol, wire = connect(take_late)
    length = b"transfer-encoding: chunked" if is_chunked else b"content-length: 99999999"
    protocol.data_received(b"POST /a HTTP/1.1\r\nhost:\r\n%b\r\n\r\n" % length)
    part = b"%x\r\n%b\r\n" % (size, b"x" * size) if is_chunked else b"x" * size
    sent = 0
    while wire.is_read:
        protocol.data_received(part)
        sent += size
        await asyncio.sleep(0)
        assert sent < 1_000_000
    may_take.set()
    await until(lambda: wire.is_read and taken == sent)
    protocol.connection_lost(None)


@pytest.mark.parametrize("kind", [b"content-length: 5000000", b"transfer-encoding: chunked"])
async def test_an_answer_to_who_still_sends_is_not_cut_off(kind: bytes) -> None:
    """Closed with something unread, a connection is reset, and the answer may be lost on the way."""

    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 413, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    protocol, wire = connect(refuse)
    protocol.data_received(b"POST /a HTTP/1.1\r\nhost:\r\nconnection: close\r\n%b\r\n\r\n" % kind)
    part = b"4000\r\n%b\r\n" % (b"x" * 0x4000)
    for _ in range(10):
        protocol.data_received(part)
    await until(lambda: b" 413 " in wire.written and wire.has_ended)
    assert not wire.is_closed
    assert wire.is_read
    protocol.data_received(part)
    protocol.connection_lost(None)


async def test_whoever_asks_for_more_behind_an_answer_is_noticed_to_be_gone() -> None:
    app = Patient()
    protocol, _ = connect(app)
    protocol.data_received(GET * 100)
    await until(lambda: app.asked == 1)
    protocol.connection_lost(None)
    await until(lambda: app.gone == 1)
    assert not protocol.pipeline


async def test_a_trailer_without_an_end_ends_the_connection() -> None:
    app = Patient()
    app.may_answer.set()
    for start in (b"X: ", b""):
        protocol, wire = connect(app)
        head = b"POST /a HTTP/1.1\r\nhost:\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
        protocol.data_received(head + start)
        for _ in range(2 * MAX_HEADERS_BYTES // 4_096):
            protocol.data_received(b"a" * 4_096)
            await asyncio.sleep(0)
        await until(lambda wire=wire: wire.has_ended)  # type: ignore[misc]  # It has a default.
        protocol.connection_lost(None)


async def test_what_a_trailer_says_takes_nothing_from_who_comes_next() -> None:
    app = Patient()
    app.may_answer.set()
    for trailer in (b"Connection: close", b"Proxy-Connection: close", b"Upgrade: a", b"X: y"):
        protocol, wire = connect(app)
        head = b"POST /a HTTP/1.1\r\nhost:\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
        protocol.data_received(head + trailer + b"\r\n\r\n" + GET)
        await until(lambda wire=wire: wire.has_ended)  # type: ignore[misc]  # It has a default.
        # It is told to ask again elsewhere, and not left to wait.
        assert b"connection: close" in wire.written.lower()
        assert wire.written.count(b"HTTP/1.1 ") == 1
