"""What comes at the same moment is done together: one commit, or one round trip, serves it all.

Nobody waits on purpose: what comes alone is done alone, and what comes meanwhile is the next batch.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Generic, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


class Batcher(Generic[Job, Result]):
    """Does one batch of jobs after the other, each of `most_together` at the most.

    `do_all` gives a result or an error for each job, in order; what it raises is the error of them all.
    """

    def __init__(
        self,
        do_all: Callable[[Sequence[Job]], Awaitable[Sequence[Result | Exception]]],
        most_together: int,
    ) -> None:
        self._do_all = do_all
        self._most_together = most_together
        # Each with the moment at which it came.
        self._queue: deque[tuple[Job, asyncio.Future[Result], float]] = deque()
        self._batch: list[tuple[Job, asyncio.Future[Result], float]] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many jobs wait or are being done."""
        return len(self._batch) + len(self._queue)

    @property
    def longest_wait_seconds(self) -> float:
        """For how long the first of them has waited; 0 when there is none."""
        first = next(iter(self._batch or self._queue), None)
        return monotonic() - first[2] if first else 0.0

    async def do(self, job: Job) -> Result:
        """Do a job with whatever else waits; raises its own error, or that of its batch."""
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._queue.append((job, done, monotonic()))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await done

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Do, at the end of the block, all that still waits."""
        try:
            yield
        finally:
            if self._task:
                await self._task

    async def _run(self) -> None:
        try:
            while self._queue:
                count = min(len(self._queue), self._most_together)
                self._batch = [self._queue.popleft() for _ in range(count)]
                await self._do_batch()
        finally:
            self._batch, self._task = [], None

    async def _do_batch(self) -> None:
        """Do what was taken from the queue, but for jobs whose waiter has gone before their turn."""
        wanted = [(job, done) for job, done, _ in self._batch if not done.done()]
        if not wanted:
            return
        results: Sequence[Result | Exception]
        try:
            results = await self._do_all([job for job, _ in wanted])
        except Exception as error:
            results = [error] * len(wanted)
        for (_, done), result in zip(wanted, results, strict=True):
            if done.done():
                continue
            if isinstance(result, Exception):
                done.set_exception(result)
            else:
                done.set_result(result)
