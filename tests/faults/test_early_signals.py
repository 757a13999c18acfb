"""Signals while the service starts, which takes a second or two: none is lost, and none ends it by chance."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.keyboard import type_command
from tests.processes import REPOSITORY, bound_to_us, find_free_port, wait_until
from tests.servers import service_environment

FIRST_PROCESS = ["unshare", "--pid", "--fork", "--kill-child"]


@contextmanager
def starting(folder: Path, url: str, prefix: Sequence[str] = ()) -> Iterator[subprocess.Popen[bytes]]:
    """Start the service, and wait for nothing."""
    assert type_command(folder, {}, "migrate").exit_code == 0
    serve = [sys.executable, "-m", "service", "serve", "--port", url.rpartition(":")[2]]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*bound_to_us(), *prefix, *serve],
            cwd=REPOSITORY,
            env=service_environment(folder, {}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def has_set(pid: int, kind: str, number: signal.Signals) -> bool:
    """Tell whether a process catches (`SigCgt`) or ignores (`SigIgn`) a signal."""
    [mask] = [
        line.split()[1]
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith(f"{kind}:")
    ]
    return bool(int(mask, 16) >> (number - 1) & 1)


@pytest.fixture
def url() -> str:
    return f"http://127.0.0.1:{find_free_port()}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a namespace of processes")
def test_the_first_process_of_a_container_can_be_stopped_while_it_starts(tmp_path: Path, url: str) -> None:
    """The kernel keeps from it what it has no handler for."""
    with starting(tmp_path, url, FIRST_PROCESS) as outer:
        children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
        wait_until(lambda: bool(children.read_text()), "the first process")
        first = int(children.read_text())
        wait_until(lambda: has_set(first, "SigCgt", signal.SIGTERM), "a handler")
        assert (tmp_path / "log").read_text() == "", "it has started already"
        os.kill(first, signal.SIGTERM)
        outer.wait(60)


def test_a_reload_right_after_the_start_is_no_end(tmp_path: Path, url: str) -> None:
    with starting(tmp_path, url) as process:
        wait_until(lambda: has_set(process.pid, "SigIgn", signal.SIGHUP), "the first steps")
        assert (tmp_path / "log").read_text() == "", "it has started already"
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: is_live(url), "an answer")


def is_live(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
