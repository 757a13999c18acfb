"""A process that is told to stop says so to its proxies first, and takes requests meanwhile."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.keyboard import type_command
from tests.processes import Server, wait_until
from tests.servers import start_service

pytestmark = pytest.mark.more


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    assert type_command(tmp_path, {}, "migrate").exit_code == 0
    # Longer than the test waits for anything.
    with start_service(tmp_path, {"GREENROOM_DRAIN_SECONDS": "600"}) as server:
        yield server
        # The second one: it ends at once.
        server.stop()
        assert not server.is_running


def ready(server: Server) -> httpx.Response:
    return httpx.get(f"{server.url}/health/ready", trust_env=False)


def test_every_connection_ends_with_its_next_answer(server: Server) -> None:
    with httpx.Client(base_url=server.url, trust_env=False) as kept:
        assert "connection" not in kept.get("/health/live").headers
        os.kill(server.pid, signal.SIGTERM)
        wait_until(lambda: ready(server).status_code == 503, "the end to be announced")
        answer = kept.get("/health/live")
        assert (answer.status_code, answer.headers["connection"]) == (200, "close")


def test_ready_sends_requests_elsewhere(server: Server) -> None:
    assert ready(server).json()["status"] == "ready"
    os.kill(server.pid, signal.SIGTERM)
    wait_until(lambda: ready(server).status_code == 503, "the end to be announced")
    answer = ready(server)
    assert answer.json()["status"] == "draining"
    assert answer.headers["retry-after"] == "5"


def test_ctrl_c_ends_at_once(server: Server) -> None:
    os.kill(server.pid, signal.SIGINT)
    wait_until(lambda: not server.is_running, "the end")
