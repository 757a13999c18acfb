"""Group commit: what waits to be written at the same moment shares one transaction, and one fsync.

Each waiter still gets its answer only after the commit that holds its own row. Measured by many systems and
here: the cost of a commit is that of the disk, and nearly the same for one row as for a hundred.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Generic, TypeVar

from sqlalchemy import Connection

from service.database import Database
from service.errors import Unavailable

Job = TypeVar("Job")
Result = TypeVar("Result")

# A batch should not keep SQLite's write lock for longer than people at the command line notice.
MAX_BATCH = 200
# With more than this waiting it is kinder to say so than to let them wait for seconds.
MAX_WAITING = 2_000


class GroupCommit(Generic[Job, Result]):
    """One writer per process. `write_batch` gives a result or an error for each job, in order."""

    def __init__(
        self,
        database: Database,
        write_batch: Callable[[Connection, Sequence[Job]], Sequence[Result | Exception]],
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._database = database
        self._write_batch = write_batch
        self._max_waiting = max_waiting
        self._waiting: deque[tuple[Job, asyncio.Future[Result]]] = deque()
        # When each of those came that wait or are being written, the first one first.
        self._since: deque[float] = deque()
        self._wake = asyncio.Event()
        self._is_stopping = False

    @property
    def waiting(self) -> int:
        """How many jobs wait or are being written."""
        return len(self._since)

    @property
    def longest_wait_seconds(self) -> float:
        """For how long the first of them has waited; 0 when there is none."""
        return monotonic() - self._since[0] if self._since else 0.0

    async def write(self, job: Job) -> Result:
        """Write a job with whatever else waits; raises its own error, or Unavailable."""
        if len(self._waiting) >= self._max_waiting:
            raise Unavailable(
                "Too many submissions are waiting to be stored.",
                retry_after_seconds=1,
                reason="full",
            )
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((job, done))
        self._since.append(monotonic())
        self._wake.set()
        return await done

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write for as long as the block lasts, and all that still waits at its end."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._is_stopping = True
            self._wake.set()
            await task

    async def _run(self) -> None:
        while self._waiting or not self._is_stopping:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_BATCH))]
                await self._write_next(taken)
                for _ in taken:
                    self._since.popleft()

    async def _write_next(self, taken: list[tuple[Job, asyncio.Future[Result]]]) -> None:
        """Write the next batch; a job whose waiter has gone before its turn is not written."""
        batch = [(job, done) for job, done in taken if not done.done()]
        if not batch:
            return
        jobs = [job for job, _ in batch]
        try:
            results = await self._database.write(
                lambda connection: self._write_batch(connection, jobs)
            )
        except Exception as error:
            results = [error] * len(batch)
        for (_, done), result in zip(batch, results, strict=True):
            _settle(done, result)


def _settle(done: asyncio.Future[Result], result: Result | Exception) -> None:
    if done.done():
        return
    if isinstance(result, Exception):
        done.set_exception(result)
    else:
        done.set_result(result)
