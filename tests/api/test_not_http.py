"""What never reaches a route, since it is not HTTP, is refused in the same form as everything else."""

import asyncio
import json
import socket
from pathlib import Path

import httpx
import pytest
import uvicorn
from litestar.types import Receive, Scope, Send
from uvicorn.server import ServerState

from service.server.protocol import Protocol
from tests.keyboard import type_command
from tests.servers import start_service

COUNTED = 'greenroom_http_requests_total{method="other",route="unmatched",status="400"}'


async def ask(request: bytes) -> tuple[bytes, bytes]:
    """Send bytes to a server that speaks our protocol; gives head and body of its answer."""

    async def never_called(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise AssertionError("the application was asked")

    config = uvicorn.Config(never_called, http=Protocol, interface="asgi3", log_config=None)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: Protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(request)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
    return head, body


@pytest.mark.parametrize(
    "request_bytes",
    [b"nonsense\r\n\r\n", b"GET /?" + b"0" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"],
    ids=["not HTTP", "an address over 64 KiB"],
)
async def test_the_refusal_is_a_problem_under_a_closed_policy(request_bytes: bytes) -> None:
    head, body = await ask(request_bytes)
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in head
    assert b"x-content-type-options: nosniff" in head
    assert b"content-security-policy: default-src 'none'" in head
    assert json.loads(body)["type"] == "/problems/request-not-readable"


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
