"""Group commit: what waits to be written at the same moment shares one transaction, and one fsync.

Each waiter still gets its answer only after the commit that holds its own row. Measured by many systems and
here: the cost of a commit is that of the disk, and nearly the same for one row as for a hundred.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection

from service.concurrency.batching import Batcher
from service.database import Database
from service.errors import Unavailable

Job = TypeVar("Job")
Result = TypeVar("Result")

# A batch should not keep SQLite's write lock for longer than people at the command line notice.
MAX_BATCH = 200


class GroupCommit(Batcher[Job, Result]):
    """One writer per process. `write_batch` gives a result or an error for each job, in order."""

    def __init__(
        self,
        database: Database,
        write_batch: Callable[[Connection, Sequence[Job]], Sequence[Result | Exception]],
        max_waiting: int,
    ) -> None:
        super().__init__(
            lambda jobs: database.write(lambda connection: write_batch(connection, jobs)), MAX_BATCH
        )
        self._max_waiting = max_waiting

    async def write(self, job: Job) -> Result:
        """Write a job with whatever else waits; raises its own error, or Unavailable."""
        # It is kinder to say so than to let them wait for seconds.
        if len(self._queue) >= self._max_waiting:
            raise Unavailable(
                "Too many submissions are waiting to be stored.",
                retry_after_seconds=1,
                reason="full",
            )
        return await self.do(job)
