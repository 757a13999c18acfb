"""Several workers behind one port: what one of them knows, the metrics of any of them say."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.processes import Server, wait_until
from tests.servers import find_workers, run_greenroom, start_service

# Nothing listens on this port; the kernel refuses at once.
NO_REDIS = "redis://127.0.0.1:1/0"
DEGRADED = "greenroom_rate_limiter_degraded 1.0"
SIGN_IN = {"email": "nobody@mail.example", "password": "correct horse battery"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    assert run_greenroom(tmp_path, {}, "migrate").returncode == 0
    environment = {"GREENROOM_REDIS_URL": NO_REDIS}
    with start_service(tmp_path, environment, "--workers", "2") as server:
        yield server


def metrics(server: Server) -> str:
    """Read the metrics over a connection of its own, which either worker may answer."""
    return httpx.get(f"{server.url}/metrics", trust_env=False).text


def test_a_worker_that_counts_alone_shows_until_it_ends(server: Server) -> None:
    assert DEGRADED not in metrics(server)
    httpx.post(f"{server.url}/v1/session", json=SIGN_IN, trust_env=False)
    assert all(DEGRADED in metrics(server) for _ in range(10))
    before = find_workers(server)
    assert len(before) == 2
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(find_workers(server) - before) == 2, "new workers")
    wait_until(lambda: server.answers(server.url), "an answer")
    after = metrics(server)
    assert DEGRADED not in after
    assert "greenroom_rate_limiter_fallbacks_total 1.0" in after
