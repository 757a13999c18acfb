"""What a parent does about workers that fall silent, do not start or do not end."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.server.workers import Pauses
from tests.processes import REPOSITORY, bound_to_us, wait_until

# A parent of one worker, with short deadlines; the worker runs the program in argv.
PARENT = """
import socket, sys
from service.telemetry.logs import configure_logs
from service.server.workers import Deadlines, Parent

configure_logs()
deadlines = Deadlines(start_seconds=2, silent_seconds=2, stop_seconds=2, end_seconds=2)
command = lambda listener, tells: [sys.executable, "-c", sys.argv[1], str(tells)]
sys.exit(not Parent(socket.create_server(("127.0.0.1", 0)), 1, deadlines, command).run())
"""
NEVER_STARTS = "import time; time.sleep(600)"
FALLS_SILENT = "import os, sys, time; os.write(int(sys.argv[1]), b'.'); time.sleep(600)"
NEVER_ENDS = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    os.write(int(sys.argv[1]), b".")
    time.sleep(0.1)
"""


class Run:
    """A parent, and what it has logged so far."""

    def __init__(self, program: str, log: Path) -> None:
        self._log = log
        with log.open("wb") as file:
            command = [*bound_to_us(), sys.executable, "-c", PARENT, program]
            self.process = subprocess.Popen(command, stderr=file, cwd=REPOSITORY)

    def until_logged(self, text: str, times: int = 1) -> None:
        wait_until(lambda: self._log.read_text().count(text) >= times, f"{text!r} in the log")


@pytest.fixture
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Run]:
    run = Run(request.param, tmp_path / "log")
    try:
        yield run
    finally:
        run.process.kill()
        run.process.wait()


@pytest.mark.parametrize("run", [NEVER_STARTS], indirect=True)
def test_one_that_does_not_start_is_replaced(run: Run) -> None:
    run.until_logged("did not start in time")
    run.until_logged("worker started", times=2)


@pytest.mark.parametrize("run", [FALLS_SILENT], indirect=True)
def test_one_that_falls_silent_is_replaced(run: Run) -> None:
    run.until_logged("fell silent")
    run.until_logged("worker started", times=2)


@pytest.mark.parametrize("run", [NEVER_ENDS], indirect=True)
def test_one_that_does_not_end_is_killed_and_the_status_says_so(run: Run) -> None:
    run.until_logged("worker serves")
    run.process.send_signal(signal.SIGTERM)
    run.until_logged("did not end in time")
    assert run.process.wait(30) == 1


def test_pauses_grow_while_one_after_the_other_dies_and_no_longer() -> None:
    pauses = Pauses()
    assert pauses.is_over(now=0)
    assert [pauses.note_death(now=1) for _ in range(9)] == [0, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert not pauses.is_over(now=30.9)
    assert pauses.is_over(now=31)
    assert pauses.note_death(now=100) == 0
