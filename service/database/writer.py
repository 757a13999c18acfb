"""The writer: a thread for work that is written at once and together."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection

from service.database.bounds import Bounds
from service.database.engines import open_for_writing

T = TypeVar("T")


class Writer:
    """A thread with a synchronous connection of its own, which does one piece of work after the other."""

    def __init__(self, url: str, bounds: Bounds) -> None:
        self._engine = open_for_writing(url, bounds)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")

    async def do(self, work: Callable[[Connection], T]) -> T:
        """Do work in a transaction; who waits no longer does not stop what has begun."""
        done = asyncio.get_running_loop().run_in_executor(self._thread, self._do, work)
        return await asyncio.shield(done)

    def _do(self, work: Callable[[Connection], T]) -> T:
        with self._engine.begin() as connection:
            return work(connection)

    async def close(self) -> None:
        await asyncio.to_thread(self._thread.shutdown)
        self._engine.dispose()
