"""Where lines of the log leave the process: by a thread of their own, so that nobody waits for their reader.

A pipe that nobody empties would else hold up whoever says something: all requests, or the parent of workers.
"""

import logging
import os
import select
import threading
from queue import SimpleQueue

# So many lines wait; what comes then is lost, and counted.
MAX_WAITING = 10_000
# How long the end of the process waits for the last of them.
LAST_SECONDS = 1.0


class Outlet(logging.Handler):
    """A handler that never blocks, also in the handler of a signal."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._waiting: SimpleQueue[bytes | threading.Event] = SimpleQueue()
        self._lost = 0
        threading.Thread(target=self._write_all, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a record over, as the line that it is."""
        try:
            line = self.format(record).encode(errors="replace") + b"\n"
        except Exception:
            self.handleError(record)
            return
        if self._waiting.qsize() < MAX_WAITING:
            self._waiting.put(line)
        else:
            self._lost += 1

    def flush(self) -> None:
        """Wait until what was handed over is written, but not for long."""
        is_written = threading.Event()
        self._waiting.put(is_written)
        is_written.wait(LAST_SECONDS)

    def _write_all(self) -> None:
        while True:
            item = self._waiting.get()
            if isinstance(item, threading.Event):
                item.set()
            else:
                self._write(item)
            if self._lost and self._waiting.empty():
                lost, self._lost = self._lost, 0
                logging.getLogger(__name__).warning("%d lines of the log were lost", lost)

    def _write(self, line: bytes) -> None:
        try:
            while line:
                try:
                    line = line[os.write(self._descriptor, line) :]
                except BlockingIOError:
                    # Another process has made it so, which has the same terminal or pipe.
                    select.select([], [self._descriptor], [])
        except OSError:
            # There is nowhere to say it.
            self._lost += 1
