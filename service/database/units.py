"""The two kinds of unit of work, `reading` and `writing`, on one engine.

A write on SQLite starts with BEGIN IMMEDIATE and waits for its turn in a queue of this process, so that no
transaction fails half-way because another one wrote first.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlmodel.ext.asyncio.session import AsyncSession

from service.database.bounds import REQUESTS, Bounds
from service.database.engines import MAX_WAIT_SECONDS, open_postgres, open_sqlite
from service.database.writer import Writer
from service.errors import Unavailable

T = TypeVar("T")


class Database:
    """One engine and its transactions. `url` is a SQLAlchemy URL with an asynchronous driver."""

    def __init__(self, url: str, *, pool_size: int = 10, bounds: Bounds = REQUESTS) -> None:
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine = open_sqlite(url) if self.is_sqlite else open_postgres(url, pool_size, bounds)
        self._writer = Writer(url, bounds)
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that must not write; nothing in it is ever committed."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that commits at the end of the block, or rolls back when it raises.

        What follows the block may tell the world: the commit is durable by then.
        """
        async with self._take_turn(), self._write_session() as session, session.begin():
            yield session

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Do synchronous work in one transaction, which commits at its end or rolls back when it raises.

        It runs in a thread of its own, one piece after the other: to wait for each statement on the event
        loop would cost more than the statement.
        """
        async with self._take_turn():
            return await self._writer.do(work)

    @asynccontextmanager
    async def _take_turn(self) -> AsyncIterator[None]:
        """Wait until this process writes nothing else, on SQLite; raises Unavailable after a while."""
        if not self.is_sqlite:
            yield
            return
        try:
            async with asyncio.timeout(MAX_WAIT_SECONDS):
                await self._turn.acquire()
        except TimeoutError:
            raise Unavailable("Too much is waiting to be written.") from None
        try:
            yield
        finally:
            self._turn.release()

    def _write_session(self) -> AsyncSession:
        # Read by the engine's `begin` listener: only SQLite distinguishes the two kinds.
        options = {"greenroom_write": True}
        return AsyncSession(self.engine.execution_options(**options), expire_on_commit=False)

    async def close(self) -> None:
        await self._writer.close()
        await self.engine.dispose()
