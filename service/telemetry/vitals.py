"""What a process measures of itself: memory, descriptors, its event loop, connections, what waits.

Each worker notes it every other second, so that whichever is asked can tell for all. The names that
Prometheus gives such things are kept, since ready-made dashboards go by them.
"""

import asyncio
import os
import resource
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Pool, QueuePool
from sqlalchemy.ext.asyncio import AsyncEngine

from service.concurrency.batching import Batcher
from service.concurrency.tasks import running_beside
from service.telemetry.meter import Meter

EVERY_SECONDS = 2.0
OPEN_FILES = Path("/proc/self/fd")
MEMORY = Path("/proc/self/statm")
# Seconds; a loop that is later than a tenth of one keeps readers waiting.
LAGS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Vitals:
    """The gauges of one process; of several workers they are added up, or the worst one is given.

    `before` is done before everything is noted.
    """

    def __init__(self, meter: Meter, before: Callable[[], None] = lambda: None) -> None:
        self._before = before
        gauge = meter.gauge
        self.workers = gauge("greenroom_workers", "Processes that serve.", "livesum")
        what = "Memory of all workers together."
        self.memory = gauge("process_resident_memory_bytes", what, "livesum")
        what = "Open files and connections of the worker with most."
        self.open_files = gauge("process_open_fds", what, "livemax")
        self.max_files = gauge("process_max_fds", "How many a worker may have open.", "livemin")
        what = "When the youngest worker started."
        self.started = gauge("process_start_time_seconds", what, "livemax")
        what = "Time on a processor, of all workers."
        self.cpu = meter.counter("process_cpu_seconds", what)
        self.tasks = gauge("greenroom_tasks", "Tasks of the event loops.", "livesum")
        what = "How late an event loop came to what was due."
        self.lag = meter.histogram("greenroom_event_loop_lag_seconds", what, LAGS)
        what = "Connections to the database by pool and state: in_use, idle."
        self.connections = gauge("greenroom_database_connections", what, "livesum", "pool", "state")
        what = "How many connections a pool may open."
        self.max_connections = gauge("greenroom_database_connections_max", what, "livesum", "pool")
        what = "Submissions that wait to be stored, or are being stored."
        self.waiting = gauge("greenroom_writer_waiting", what, "livesum")
        what = "For how long the first of them has waited."
        self.longest_wait = gauge("greenroom_writer_oldest_waiting_seconds", what, "livemax")
        self._engines: Mapping[str, AsyncEngine | Engine] = {}
        self._queue: Batcher[Any, Any] | None = None
        self._cpu_seconds = 0.0
        self.workers.set(1)
        self.started.set(time.time())
        # At once, so that no worker counts as one that may open nothing.
        self._note_process()

    def watch(self, engines: Mapping[str, AsyncEngine | Engine], queue: Batcher[Any, Any]) -> None:
        """Name what else is to be noted: each pool of connections by what it is for, and the queue."""
        self._engines, self._queue = engines, queue

    def note(self) -> None:
        """Note how everything stands now."""
        self._before()
        self._note_process()
        for name, engine in self._engines.items():
            self._note_pool(name, engine.pool)
        if self._queue:
            self.waiting.set(self._queue.waiting)
            self.longest_wait.set(self._queue.longest_wait_seconds)

    def _note_process(self) -> None:
        now = time.process_time()
        self.cpu.inc(now - self._cpu_seconds)
        self._cpu_seconds = now
        self.max_files.set(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        # There on Linux alone.
        if OPEN_FILES.exists():
            # Kernels from 6.2 on say how many as the size; to list thousands takes milliseconds.
            self.open_files.set(OPEN_FILES.stat().st_size or len(os.listdir(OPEN_FILES)))
            self.memory.set(int(MEMORY.read_text().split()[1]) * resource.getpagesize())

    def _note_pool(self, name: str, pool: Pool) -> None:
        if isinstance(pool, QueuePool):
            self.connections.labels(name, "in_use").set(pool.checkedout())
            self.connections.labels(name, "idle").set(pool.checkedin())
            # None is opened beyond its size.
            self.max_connections.labels(name).set(pool.size())

    def kept(self) -> AbstractAsyncContextManager[None]:
        """Note everything again and again for as long as the block lasts."""
        return running_beside(self._keep_noting())

    async def _keep_noting(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self.tasks.set(len(asyncio.all_tasks()))
            self.note()
            due = loop.time() + EVERY_SECONDS
            await asyncio.sleep(EVERY_SECONDS)
            self.lag.observe(loop.time() - due)
