"""What never reaches a route, since it is not HTTP or too much of it, is refused like everything else."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send
from uvicorn.server import ServerState

from service.server import pieces, reading
from service.server.protocol import Protocol
from tests.keyboard import type_command
from tests.servers import start_service

COUNTED = 'greenroom_http_requests_total{method="other",route="unmatched",status="400"}'
HOST = b"Host: a\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
UPGRADE = b"Connection: keep-alive, Upgrade\r\nUpgrade: foo\r\n"
STATUS = re.compile(rb"HTTP/1\.1 (\d+) ")


class Echo:
    """An app that answers each request alike, and keeps what it saw of it."""

    def __init__(self, answer: bytes = b"ok") -> None:
        self.seen: list[str] = []
        self.has_answered = asyncio.Event()
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == ScopeType.HTTP
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            assert message["type"] == "http.request"
            body += message["body"]
            if not message["more_body"]:
                break
        names = sorted(name.decode() for name, _ in scope["headers"])
        self.seen.append(f"{scope['method']} {scope['path']} {','.join(names)} {body.decode()}")
        headers = [(b"content-length", str(len(self._answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self._answer, "more_body": True})
        # Returns once the one before is on its way.
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        self.has_answered.set()


@asynccontextmanager
async def connected(
    app: Echo,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Give a connection to a server that speaks our protocol."""
    config = uvicorn.Config(app, http=Protocol, ws="none", interface="asgi3", log_config=None)
    config.load()
    state = ServerState()
    # As the server does each second.
    state.default_headers = [(b"date", b"today")]
    server = await asyncio.get_running_loop().create_server(
        lambda: Protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            yield reader, writer
        finally:
            writer.close()
            await writer.wait_closed()


async def ask(*pieces: bytes, app: Echo | None = None) -> bytes:
    """Send bytes, piece by piece; gives all that is answered until the connection ends."""
    async with connected(app or Echo()) as (reader, writer):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        return await reader.read()


@pytest.mark.parametrize(
    ("request_bytes", "status", "problem"),
    [
        (b"nonsense\r\n\r\n", 400, "request-not-readable"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "request-not-readable"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "request-not-readable"),
        (b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400, "request-not-readable"),
        *(
            (b"%b HTTP/1.1\r\nHost: %b\r\n\r\n" % (line, host), 400, "request-not-readable")
            for line in (b"GET /", b"OPTIONS /v1/session", b"POST /nowhere", b"HEAD /")
            for host in (
                b"a b",
                b"a/b",
                b"a?b",
                b"a#b",
                b'"',
                b"<x>",
                b"\xff",
                b"a@b",
                b"a:b",
                b"[a",
                b"%",
            )
        ),
        (b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n", 501, "method-not-known"),
        (b"CONNECT a:80 HTTP/1.1\r\n" + HOST + b"\r\n", 501, "method-not-known"),
        (b"GET /?" + b"0" * 16_384 + b" HTTP/1.1\r\n" + HOST, 414, "request-line-too-long"),
        (b"GET /?" + b"0" * 300_000, 414, "request-line-too-long"),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 11_000, 431, "headers-too-long"),
        (b"GET / HTTP/1.1\r\na: " + b"b" * 400_000, 431, "headers-too-long"),
        (b"GET / HTTP/1.1\r\n" + b"a" * 400_000, 431, "headers-too-long"),
        (b"\r\n" * 200_000, 431, "headers-too-long"),
    ],
    ids=lambda one: str(one)[:30],
)
async def test_the_refusal_is_a_problem_under_a_closed_policy(
    request_bytes: bytes, status: int, problem: str
) -> None:
    app = Echo()
    # In two pieces, since what has no end shows only when more of it comes.
    half = min(len(request_bytes), 270_000)
    head, _, body = (await ask(request_bytes[:half], request_bytes[half:], app=app)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"content-type: application/problem+json" in head
    assert b"x-content-type-options: nosniff" in head
    assert b"content-security-policy: default-src 'none'" in head
    assert b"connection: close" in head
    assert b"\r\ndate: today" in head
    assert json.loads(body)["type"] == f"/problems/{problem}"
    assert app.seen == []


@pytest.mark.parametrize(
    "host",
    [b"", b"a.example", b"A-b_c:8000", b"[::1]:80", b"127.0.0.1", b"b%C3%BCcher.example", b"a:"],
)
async def test_whatever_can_be_a_host_is_taken(host: bytes) -> None:
    sent = b"GET / HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % host
    assert STATUS.findall(await ask(sent)) == [b"200"]


async def test_what_is_long_and_within_the_bounds_is_taken() -> None:
    app = Echo()
    line = b"GET /?" + b"0" * (16_384 - 15) + b" HTTP/1.1\r\n"
    headers = b"".join(b"a: %b\r\n" % (b"b" * 8_000) for _ in range(8))
    end = b"Connection: close\r\n\r\n"
    assert STATUS.findall(await ask(line + HOST + headers[:-100], headers[-100:] + end, app=app)) == [b"200"]
    assert len(app.seen) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 37\r\n\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\nbody.",
        b"Transfer-Encoding: chunked\r\n\r\n25\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\nbody.\r\n0\r\n\r\n",
    ],
    ids=["length", "chunks"],
)
@pytest.mark.parametrize("cut", [1, 70, 110, 130, 1_000])
@pytest.mark.parametrize("protocol", [b"foo", b"websocket", b"h2c"])
async def test_who_would_rather_speak_another_protocol_has_made_one_request(
    body: bytes, cut: int, protocol: bytes
) -> None:
    """Its body is no request, and what comes after it is nobody's."""
    app = Echo()
    head = b"POST / HTTP/1.1\r\n" + HOST + UPGRADE.replace(b"foo", protocol)
    sent = head + body + GET
    answer = await ask(sent[:cut], sent[cut:], app=app)
    assert STATUS.findall(answer) == [b"200"]
    assert b"connection: close" in answer
    [seen] = app.seen
    assert seen.startswith("POST / ")
    assert seen.endswith(" GET /admin HTTP/1.1\r\nHost: a\r\n\r\nbody.")
    assert "upgrade" not in seen


async def test_a_trailer_is_no_header() -> None:
    app = Echo()
    chunks = b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nhi\r\n0\r\n"
    trailer = b"X-Forwarded-For: 203.0.113.1\r\n\r\n"
    await ask(b"POST / HTTP/1.1\r\n" + HOST + chunks + trailer, app=app)
    assert app.seen == ["POST / connection,host,transfer-encoding hi"]


@pytest.mark.parametrize("upgrade", [b"", UPGRADE])
@pytest.mark.parametrize(
    "headers",
    [b"".join(b"a%d: %b\r\n" % (one, b"b" * 900) for one in range(74)), b"a: b\r\n" * 257],
    ids=["bytes", "number"],
)
async def test_too_many_headers_are_told_whether_or_not_all_have_come(headers: bytes, upgrade: bytes) -> None:
    head = b"GET / HTTP/1.1\r\n" + HOST + upgrade + headers
    for end in (b"", b"Connection: close\r\n\r\n"):
        answer = await ask(*(head[at : at + 9_000] for at in range(0, len(head), 9_000)), end)
        assert STATUS.findall(answer) == [b"431"]


async def test_of_what_is_too_long_and_cannot_be_the_length_is_told() -> None:
    for line in (b"CONNECT /%b HTTP/1.1", b"GET /%b HTTP/2.0"):
        sent = line % (b"0" * 16_384) + b"\r\n" + HOST + b"\r\n"
        assert STATUS.findall(await ask(sent)) == [b"414"]
    unfinished = b"GET /" + b"0" * (16_384 - 13)
    assert STATUS.findall(await ask(unfinished)) == [b"414"]


async def test_headers_and_trailers_have_one_bound() -> None:
    headers = b"".join(b"a%d: %b\r\n" % (one, b"b" * 990) for one in range(40))
    chunks = b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n"
    answer = await ask(b"POST / HTTP/1.1\r\n" + HOST + headers + chunks + headers[:30_000] + b"\r\n\r\n")
    assert STATUS.findall(answer) == [b"431"]


async def test_a_trailer_counts_among_the_headers() -> None:
    chunks = b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n"
    answer = await ask(b"POST / HTTP/1.1\r\n" + HOST + chunks + b"a: b\r\n" * 11_000)
    assert STATUS.findall(answer) == [b"431"]


async def test_whoever_asked_before_is_answered_before_somebody_is_refused() -> None:
    app = Echo()
    answer = await ask(GET + GET + b"nonsense\r\n\r\n", b"more of it", app=app)
    assert STATUS.findall(answer) == [b"200", b"200", b"400"]
    assert len(app.seen) == 2


async def test_a_body_that_cannot_be_read_is_answered_once() -> None:
    app = Echo()
    chunks = b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nnonsense"
    answer = await ask(GET + b"POST / HTTP/1.1\r\n" + HOST + chunks + GET, app=app)
    assert STATUS.findall(answer) == [b"200", b"400"]
    assert len(app.seen) == 1


@pytest.mark.parametrize(
    ("bound", "sent", "statuses"),
    [
        ("HEAD_SECONDS", b"", []),
        ("HEAD_SECONDS", b"\r\n", [b"408"]),
        ("HEAD_SECONDS", b"GET / HTTP/1.1\r\nHos", [b"408"]),
        ("HEAD_SECONDS", GET + b"GET", [b"200", b"408"]),
        ("BODY_SECONDS", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhi", [b"408"]),
    ],
)
async def test_who_is_too_slow_is_told_so(
    monkeypatch: pytest.MonkeyPatch, bound: str, sent: bytes, statuses: list[bytes]
) -> None:
    monkeypatch.setattr(reading, bound, 0.2)
    assert STATUS.findall(await ask(sent)) == statuses


async def test_who_takes_nothing_of_the_answer_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "WRITE_SECONDS", 0.2)
    app = Echo(b"0" * (32 << 20))
    async with connected(app) as (_, writer):
        writer.write(GET)
        async with asyncio.timeout(60):
            await app.has_answered.wait()


def test_it_is_counted_and_cannot_fill_the_log(tmp_path: Path) -> None:
    assert type_command(tmp_path, {}, "migrate").exit_code == 0
    with start_service(tmp_path, {}) as server:
        before = server.log_text()
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", httpx.URL(server.url).port or 0)) as caller:
                caller.sendall(b"nonsense\r\n\r\n")
                assert caller.recv(12) == b"HTTP/1.1 400"
        metrics = httpx.get(f"{server.url}/metrics", trust_env=False).text
        assert f"{COUNTED} 5.0" in metrics
        assert server.log_text() == before
