"""Standard streams that are closed, or that nobody reads: the service serves, and ends when it is told to."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.keyboard import type_command
from tests.processes import Server, bound_to_us, wait_until
from tests.servers import find_workers, start_service

pytestmark = pytest.mark.more

# Nothing listens on this port; workers count limits for themselves, and need nothing else of Redis here.
ENVIRONMENT = {
    "GREENROOM_REDIS_URL": "redis://127.0.0.1:1/0",
    "GREENROOM_ACCESS_LOG": "on",
    "GREENROOM_DRAIN_SECONDS": "1",
}


@contextmanager
def serving(folder: Path, workers: str, redirections: str) -> Iterator[Server]:
    """Run the service with streams of its own, as a shell writes them."""
    assert type_command(folder, {}, "migrate").exit_code == 0
    prefix = [*bound_to_us(), "sh", "-c", f'exec "$@" {redirections}', "sh"]
    with start_service(folder, ENVIRONMENT, "--workers", workers, prefix=prefix) as server:
        yield server


def ends_in_order(server: Server) -> None:
    os.kill(server.pid, signal.SIGTERM)
    wait_until(lambda: not server.is_running, "the end")
    assert server.status == 0


@pytest.mark.parametrize(("workers", "closed"), [("1", "2>&-"), ("1", "<&- >&- 2>&-"), ("2", "<&- >&- 2>&-")])
def test_closed_streams_keep_it_neither_from_serving_nor_from_ending(
    tmp_path: Path, workers: str, closed: str
) -> None:
    with serving(tmp_path, workers, closed) as server:
        assert httpx.get(f"{server.url}/sign-in", trust_env=False).status_code == 200
        ends_in_order(server)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_log_that_nobody_reads_holds_nobody_up(tmp_path: Path, workers: str) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with open(os.open(pipe, os.O_RDWR | os.O_NONBLOCK), "r+b", 0) as reader:
        while reader.write(b"\0" * 4096):
            pass
        with serving(tmp_path, workers, f"2>{pipe}") as server:
            for _ in range(20):
                assert httpx.get(f"{server.url}/sign-in", trust_env=False).status_code == 200
            for one in find_workers(server):
                os.kill(one, signal.SIGKILL)
            wait_until(lambda: server.answers(server.url), "an answer")
            ends_in_order(server)
