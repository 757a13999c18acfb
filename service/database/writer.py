"""The writer: a thread for work that is written at once and together."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.database.health import Health
from service.database.sqlite import MAX_LOG_BYTES

T = TypeVar("T")
# The name of its kind of work.
WRITER = "writer"


class Writer:
    """A thread with a synchronous connection of its own, which does one piece of work after the other."""

    def __init__(self, engine: Engine, health: Health) -> None:
        self._engine = engine
        self._health = health
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")

    async def do(self, work: Callable[[Connection], T]) -> T:
        """Do work in a transaction; who waits no longer does not stop what has begun."""
        return await self._run(lambda: self._do(work))

    async def cut_log(self) -> None:
        """Cut what SQLite wrote ahead, if it is long and nobody needs it any more."""
        file = self._health.file
        if file is not None and file.log_bytes > MAX_LOG_BYTES:
            await self._run(self._cut_log)

    async def _run(self, task: Callable[[], T]) -> T:
        done = asyncio.get_running_loop().run_in_executor(self._thread, task)
        return await asyncio.shield(done)

    def _do(self, work: Callable[[Connection], T]) -> T:
        self._health.require_file()
        try:
            with self._engine.begin() as connection:
                result = work(connection)
        except (DBAPIError, PoolTimeout) as error:
            self._health.note(error, stored_by=WRITER)
            raise
        # Before anybody hears of it.
        self._health.require_file()
        self._health.stored(WRITER)
        return result

    def _cut_log(self) -> None:
        # A connection of the driver's own: it must not be in a transaction.
        with closing(self._engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    async def close(self) -> None:
        await asyncio.to_thread(self._thread.shutdown)
        self._engine.dispose()
