"""A process that is told to stop ends, in order and in time, as the account of the image too."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.keyboard import type_command
from tests.processes import Server, like_the_image, wait_until
from tests.servers import find_workers, start_service

pytestmark = pytest.mark.more

# Nothing listens on this port; workers count limits for themselves, and need nothing else of Redis here.
NO_REDIS = {"GREENROOM_REDIS_URL": "redis://127.0.0.1:1/0"}
REQUEST = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"


@contextmanager
def start_like_the_image(folder: Path, environment: dict[str, str], *options: str) -> Iterator[Server]:
    """Run the service as in the image, with a folder for scratch files as `compose.yaml` gives it one."""
    assert type_command(folder, {}, "migrate").exit_code == 0
    Path(folder, "scratch").mkdir()
    environment = {"TMPDIR": str(folder / "scratch"), **environment}
    with start_service(folder, environment, *options, prefix=like_the_image(folder)) as server:
        yield server


@pytest.fixture(params=["one process", "two workers"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    alone = request.param == "one process"
    options = () if alone else ("--workers", "2")
    environment = {"GREENROOM_DRAIN_SECONDS": "1", **({} if alone else NO_REDIS)}
    with start_like_the_image(tmp_path, environment, *options) as server:
        yield server


def test_it_drains_and_ends_with_status_0(server: Server) -> None:
    workers = find_workers(server)
    with httpx.Client(base_url=server.url, trust_env=False) as kept:
        assert kept.get("/health/live").status_code == 200
        os.kill(server.pid, signal.SIGTERM)
        wait_until(lambda: is_draining(server), "the end to be announced")
        assert kept.get("/health/live").headers["connection"] == "close"
    wait_until(lambda: not server.is_running, "the end")
    assert server.status == 0
    assert [pid for pid in workers if Path(f"/proc/{pid}").exists()] == []
    assert '"level": "error"' not in server.log_text()


def is_draining(server: Server) -> bool:
    try:
        answer = httpx.get(f"{server.url}/health/ready", trust_env=False)
    except httpx.TransportError as error:
        raise AssertionError("it stopped without a word") from error
    return answer.status_code == 503


def test_whoever_is_in_the_queue_at_the_end_is_answered(tmp_path: Path) -> None:
    with start_like_the_image(tmp_path, {}) as server, ExitStack() as stack:
        address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        waiting = [stack.enter_context(socket.create_connection(address))]
        # While it is frozen the kernel takes connections, and bytes on those that are open.
        server.freeze()
        waiting += [stack.enter_context(socket.create_connection(address)) for _ in range(20)]
        for connection in waiting:
            connection.sendall(REQUEST)
        os.kill(server.pid, signal.SIGTERM)
        server.thaw()
        for connection in waiting:
            with connection.makefile("rb") as answer:
                assert answer.read().startswith(b"HTTP/1.1 200 OK")
        wait_until(lambda: not server.is_running, "the end")
        assert server.status == 0


def test_a_request_that_never_comes_to_its_end_does_not_keep_it(tmp_path: Path) -> None:
    with start_like_the_image(tmp_path, {}) as server:
        with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as half:
            half.sendall(
                b"POST /v1/session HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                b"Content-Length: 9\r\n\r\n"
            )
            os.kill(server.pid, signal.SIGTERM)
            wait_until(lambda: not server.is_running, "the end")
            with half.makefile("rb") as answer:
                assert answer.readline() == b"HTTP/1.1 503 Service Unavailable\r\n"
        assert server.status == 0
        # It was cut off in order, and anybody can send so slowly.
        assert '"level": "error"' not in server.log_text()


def test_sighup_changes_nothing_in_a_single_process(tmp_path: Path) -> None:
    with start_like_the_image(tmp_path, {}) as server:
        os.kill(server.pid, signal.SIGHUP)
        wait_until(lambda: "SIGHUP" in server.log_text(), "a line about it")
        assert server.answers(server.url)


def test_interrupted_it_ends_at_once(server: Server) -> None:
    os.kill(server.pid, signal.SIGINT)
    wait_until(lambda: not server.is_running, "the end")
    assert server.status == 0
