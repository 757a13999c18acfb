"""A process that may open no more files says so, turns connections away, and goes on."""

import select
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.keyboard import type_command
from tests.processes import Server, bound_to_us, wait_until
from tests.servers import start_service

LIMIT = 120
REFUSED = 'greenroom_connections_refused_total{reason="files"}'


def limited(soft: int, hard: int) -> list[str]:
    program = shutil.which("prlimit")
    assert program, "util-linux has it, beside setpriv"
    return [*bound_to_us(), program, f"--nofile={soft}:{hard}"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    assert type_command(tmp_path, {}, "migrate").exit_code == 0
    with start_service(tmp_path, {}, prefix=limited(LIMIT, LIMIT)) as server:
        yield server


def test_who_comes_when_it_is_full_is_told_so(server: Server) -> None:
    address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
    with ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection(address)) for _ in range(LIMIT)]
        # One that was let in says nothing until it is asked.
        wait_until(lambda: len(readable(silent)) > LIMIT // 2, "refusals")
        refused = readable(silent)
        for connection in refused:
            answer = connection.recv(4096)
            assert answer.startswith(b"HTTP/1.1 503")
            assert b"retry-after: 5" in answer
    wait_until(lambda: is_open(server), "room again")
    metrics = httpx.get(f"{server.url}/metrics", trust_env=False).text
    [count] = [line for line in metrics.splitlines() if line.startswith(REFUSED)]
    assert float(count.split()[1]) >= len(refused)
    assert server.log_text().count("too many open files") == 1


def readable(connections: list[socket.socket]) -> list[socket.socket]:
    return select.select(connections, [], [], 0)[0]


def is_open(server: Server, origin: str = "127.0.0.1") -> bool:
    with httpx.Client(transport=httpx.HTTPTransport(local_address=origin)) as client:
        return client.get(f"{server.url}/health/ready").status_code == 200


def test_it_takes_as_many_files_as_the_system_lets_it(tmp_path: Path) -> None:
    assert type_command(tmp_path, {}, "migrate").exit_code == 0
    with start_service(tmp_path, {}, prefix=limited(256, 2048)) as server:
        limits = Path(f"/proc/{server.pid}/limits").read_text()
    [line] = [one for one in limits.splitlines() if one.startswith("Max open files")]
    assert line.split()[3:5] == ["2048", "2048"]


def test_one_network_leaves_room_for_the_others(tmp_path: Path) -> None:
    assert type_command(tmp_path, {}, "migrate").exit_code == 0
    most = {"GREENROOM_MAX_CONNECTIONS_PER_NETWORK": "10", "GREENROOM_TRUSTED_PROXIES": "127.0.0.3"}
    with start_service(tmp_path, most) as server, ExitStack() as stack:
        address = ("127.0.0.1", int(server.url.rpartition(":")[2]))

        def connect(origin: str) -> socket.socket:
            return stack.enter_context(socket.create_connection(address, source_address=(origin, 0)))

        crowd = [connect("127.0.0.2") for _ in range(13)]
        wait_until(lambda: len(readable(crowd)) == 3, "refusals")
        assert all(one.recv(4096).startswith(b"HTTP/1.1 503") for one in readable(crowd))
        # Others are let in, and a proxy that speaks for many has no such bound.
        proxied = [connect("127.0.0.3") for _ in range(13)]
        assert is_open(server)
        assert readable(proxied) == []
        metrics = httpx.get(f"{server.url}/metrics", trust_env=False).text
        assert 'greenroom_connections_refused_total{reason="network"} 3.0' in metrics
        assert server.log_text().count("too many connections of one network") == 1
        for one in crowd:
            one.close()
        wait_until(lambda: is_open(server, "127.0.0.2"), "room again")
