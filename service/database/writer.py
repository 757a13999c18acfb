"""The writer: a thread for work that is written at once and together."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.database.health import Health

T = TypeVar("T")
# The name of its kind of work.
WRITER = "writer"


class Writer:
    """A thread with a synchronous connection of its own, which does one piece of work after the other."""

    def __init__(self, engine: Engine, health: Health) -> None:
        self.engine = engine
        self._health = health
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")

    async def do(self, work: Callable[[Connection], T]) -> T:
        """Do work in a transaction; who waits no longer does not stop what has begun."""
        done = asyncio.get_running_loop().run_in_executor(self._thread, self._do, work)
        return await asyncio.shield(done)

    def _do(self, work: Callable[[Connection], T]) -> T:
        self._health.require_sound_file()
        try:
            with self.engine.begin() as connection:
                result = work(connection)
        except (DBAPIError, PoolTimeout) as error:
            self._health.note(error, stored_by=WRITER)
            raise
        # Before anybody hears of it.
        self._health.require_sound_file()
        self._health.stored(WRITER)
        return result

    async def close(self) -> None:
        await asyncio.to_thread(self._thread.shutdown)
        self.engine.dispose()
