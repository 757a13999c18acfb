"""Workers: processes that serve from one listener, and the parent that keeps so many of them alive.

The parent does nothing that can block, and asks nothing of a worker: each tells of itself once a second, and
one that is silent, late to begin or late to end is killed. A parent that is killed takes its workers along.
"""

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Self

import msgspec

from service.server.serving import longest_stop_seconds
from service.telemetry.logs import get_logger

# How often the parent looks round at the least; it is woken by signals and by what workers tell.
TICK_SECONDS = 0.5
# Pauses before a worker that died is replaced: none at first, then growing while one after the other dies.
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
CALM_SECONDS = 60.0
_logger = get_logger(__name__)


class Deadlines(msgspec.Struct, frozen=True, kw_only=True):
    """How long a worker may take, in seconds, before it is killed."""

    start_seconds: float = 60
    """To start, on a busy machine."""
    silent_seconds: float = 30
    """Without a word, while it serves."""
    stop_seconds: float
    """To end when it is told to stop, draining and all."""
    end_seconds: float = longest_stop_seconds(0) + 1
    """To end when it is told to do so at once."""

    @classmethod
    def of(cls, drain_seconds: int) -> Self:
        """Give workers a second more to end than they give themselves."""
        return cls(stop_seconds=longest_stop_seconds(drain_seconds) + 1)


Command = Callable[[int, int], list[str]]


def worker_command(listener: int, tells: int) -> list[str]:
    """Give the command of a worker, which inherits two descriptors."""
    return [
        sys.executable,
        "-m",
        "service.server.worker",
        *map(str, (listener, tells, os.getpid())),
    ]


class Worker:
    """One worker as its parent sees it. Its bounds are counted in ticks of the parent's own clock.

    So a machine that was asleep for an hour does not make them all seem silent.
    """

    def __init__(self, listener: socket.socket, command: Command, deadlines: Deadlines) -> None:
        told, tells = os.pipe()
        os.set_blocking(told, False)
        self._told = told
        try:
            self._process = subprocess.Popen(  # noqa: S603 - The command is our own.
                command(listener.fileno(), tells),
                pass_fds=(listener.fileno(), tells),
                stdin=subprocess.DEVNULL,
                # Ctrl-C is for the parent, which tells each of them once.
                process_group=0,
            )
        finally:
            os.close(tells)
        self.is_ready = False
        self.is_retiring = False
        self.was_killed = False
        self._deadlines = deadlines
        self._seconds_left = deadlines.start_seconds

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def told(self) -> int:
        """The descriptor that becomes readable when the worker tells of itself."""
        return self._told

    def listen(self) -> None:
        """Hear whether the worker is alive."""
        with suppress(BlockingIOError):
            if os.read(self._told, 1 << 16) and not self.is_retiring:
                if not self.is_ready:
                    self.is_ready = True
                    _logger.info("worker serves", pid=self.pid)
                self._seconds_left = self._deadlines.silent_seconds

    def has_ended(self) -> int | None:
        """Give the status of a worker that has ended, and what it held with it."""
        status = self._process.poll()
        if status is not None:
            os.close(self._told)
        return status

    def tell(self, number: int, seconds: float) -> None:
        """Send the worker a signal after which it has to end within some seconds."""
        self.is_retiring = True
        self._seconds_left = seconds
        self._process.send_signal(number)

    def wait(self, seconds: float) -> None:
        """Let time pass; a worker whose time is over is killed."""
        self._seconds_left -= seconds
        if self._seconds_left <= 0 and not self.was_killed:
            _logger.error("worker killed", pid=self.pid, why=self._why())
            self.was_killed = True
            self._process.kill()

    def _why(self) -> str:
        if self.is_retiring:
            return "did not end in time"
        return "fell silent" if self.is_ready else "did not start in time"


class Pauses:
    """How long to wait before the next worker is started after deaths."""

    def __init__(self) -> None:
        self._deaths = 0
        self._last = float("-inf")
        self._next = float("-inf")

    def note_death(self, now: float) -> float:
        """Take note of a death, and give the seconds until the next start."""
        self._deaths = self._deaths + 1 if now - self._last < CALM_SECONDS else 1
        self._last = now
        growing = FIRST_PAUSE_SECONDS * 2 ** min(self._deaths - 2, 10)
        pause = 0.0 if self._deaths == 1 else min(growing, LONGEST_PAUSE_SECONDS)
        self._next = now + pause
        return pause

    def is_over(self, now: float) -> bool:
        """Tell whether a worker may be started."""
        return now >= self._next


class Parent:
    """Keeps `count` workers serving from a listener until it is told to stop."""

    def __init__(
        self,
        listener: socket.socket,
        count: int,
        deadlines: Deadlines,
        command: Command = worker_command,
    ) -> None:
        self._listener = listener
        self._count = count
        self._deadlines = deadlines
        self._command = command
        self._workers: list[Worker] = []
        self._outdated: set[Worker] = set()
        self._pauses = Pauses()
        self._is_stopping = False
        self._is_orderly = True
        self._signals: Counter[int] = Counter()
        self._selector = selectors.DefaultSelector()

    def run(self) -> bool:
        """Run until told to stop; tell whether every worker then ended by itself and without a fault."""
        woken, wakes = socket.socketpair()
        for end in (woken, wakes):
            end.setblocking(False)
        signal.set_wakeup_fd(wakes.fileno())
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, lambda number, _: self._signals.update([number]))
        self._selector.register(woken, selectors.EVENT_READ)
        try:
            while self._workers or not self._is_stopping:
                self._go_round(woken)
        finally:
            for worker in self._workers:
                worker.tell(signal.SIGKILL, 0)
        return self._is_orderly

    def _go_round(self, woken: socket.socket) -> None:
        started = time.monotonic()
        for key, _ in self._selector.select(TICK_SECONDS):
            if isinstance(key.data, Worker):
                key.data.listen()
            else:
                woken.recv(1 << 12)
        self._obey()
        self._bury()
        # A tick that took longer is one in which the parent itself did not run.
        passed = min(time.monotonic() - started, TICK_SECONDS)
        for worker in self._workers:
            worker.wait(passed)
        if not self._is_stopping:
            self._replace()

    def _obey(self) -> None:
        """Do what signals ask for."""
        signals, self._signals = self._signals, Counter()
        for number in (signal.SIGTERM, signal.SIGINT):
            for _ in range(signals[number]):
                self._stop(number)
        if signals[signal.SIGHUP] and not self._is_stopping:
            _logger.info("replacing the workers in turn")
            self._outdated = {one for one in self._workers if not one.is_retiring}

    def _stop(self, number: int) -> None:
        """Stop all workers, who drain; the second time, or interrupted, they do not."""
        drains = number == signal.SIGTERM and not self._is_stopping
        if not self._is_stopping:
            self._is_stopping = True
            # Theirs are the last descriptors now, and the last to close one takes what is in the queue.
            self._listener.close()
        deadlines = self._deadlines
        for worker in self._workers:
            worker.tell(number, deadlines.stop_seconds if drains else deadlines.end_seconds)

    def _bury(self) -> None:
        """Take note of workers that have ended."""
        for worker in list(self._workers):
            status = worker.has_ended()
            if status is None:
                continue
            self._workers.remove(worker)
            self._selector.unregister(worker.told)
            was_outdated = worker in self._outdated
            self._outdated.discard(worker)
            # One that is told to end before it listens for signals is ended by them.
            if worker.is_retiring and (status == 0 or not worker.is_ready):
                _logger.info("worker ended", pid=worker.pid)
                continue
            self._is_orderly = self._is_orderly and not self._is_stopping
            pause = self._pauses.note_death(time.monotonic())
            _logger.error("worker died", pid=worker.pid, status=status, pause_seconds=pause)
            if self._outdated and not worker.is_ready and not was_outdated:
                _logger.error("a new worker did not start: the workers that are there stay")
                self._outdated.clear()

    def _replace(self) -> None:
        """Start what is missing, and retire an outdated worker once its successor serves."""
        staying = [one for one in self._workers if not one.is_retiring]
        wanted = self._count + (1 if self._outdated else 0)
        if len(staying) < wanted and self._pauses.is_over(time.monotonic()):
            worker = Worker(self._listener, self._command, self._deadlines)
            self._workers.append(worker)
            self._selector.register(worker.told, selectors.EVENT_READ, worker)
            _logger.info("worker started", pid=worker.pid)
        elif self._outdated and self._are_all_ready(wanted):
            self._outdated.pop().tell(signal.SIGTERM, self._deadlines.stop_seconds)

    def _are_all_ready(self, wanted: int) -> bool:
        """Tell whether so many workers serve, and nobody is on the way in or out."""
        return len(self._workers) == wanted and all(
            one.is_ready and not one.is_retiring for one in self._workers
        )
