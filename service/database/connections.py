"""All connections of a process to the database."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from service.concurrency.patience import Patience
from service.database.bounds import READINESS, REQUESTS, Bounds, Connections
from service.database.engines import open_engine, open_for_writing
from service.database.health import Health
from service.database.pool import UNKNOWN, Pool, Turn
from service.database.probing import Probe
from service.database.sqlite import DatabaseFile
from service.errors import Unavailable

T = TypeVar("T")


class Writer:
    """Threads with a synchronous connection each, which do one piece of work after the other."""

    def __init__(self, name: str, engine: Engine, size: int, health: Health) -> None:
        self.name = name
        self.engine = engine
        self._health = health
        self._threads = ThreadPoolExecutor(size, thread_name_prefix=name)

    async def do(self, work: Callable[[Connection], T], tell: Callable[[T], object] | None = None) -> T:
        """Do work in a transaction; who waits no longer does not stop what has begun.

        `tell` hears on the event loop what was committed, also where nobody waits for it any more.
        """
        loop = asyncio.get_running_loop()

        def do() -> T:
            result = self._do(work)
            if tell:
                loop.call_soon_threadsafe(tell, result)
            return result

        return await loop.run_in_executor(self._threads, do)

    def _do(self, work: Callable[[Connection], T]) -> T:
        self._health.require_sound_file()
        try:
            with self.engine.begin() as connection:
                result = work(connection)
        except (DBAPIError, PoolTimeout) as error:
            self._health.note(error, stored_by=self.name)
            raise
        # Before anybody hears of it.
        self._health.require_sound_file()
        self._health.stored(self.name)
        return result

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown)
        self.engine.dispose()


class Database:
    """The connections of a process. `url` is a SQLAlchemy URL with an asynchronous driver.

    Of a standby that is away its reader tells the log: the database itself is well.
    """

    def __init__(
        self,
        url: str,
        *,
        connections: Connections | None = None,
        bounds: Bounds = REQUESTS,
        is_standby: bool = False,
    ) -> None:
        parsed, most = make_url(url), connections or Connections()
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        file = DatabaseFile(parsed.database or "") if self.is_sqlite else None
        self.health = Health(file, is_logged=not is_standby)
        self._turn: Turn = asyncio.Lock() if self.is_sqlite else nullcontext()

        def open_pool(name: str, size: int, bounds: Bounds = bounds) -> Pool:
            engine = open_engine(parsed, size, bounds, self.health)
            return Pool(name, engine, bounds, self.health, self._turn)

        self.pages = open_pool("pages", most.pages)
        self.submissions = open_pool("submissions", most.submissions)
        deciding = 0 if self.is_sqlite else max(1, most.moderators // 2)
        self.moderators = open_pool("moderators", max(1, most.moderators - deciding))
        self.readiness = open_pool("readiness", 1, READINESS)
        self.pools = (self.pages, self.submissions, self.moderators, self.readiness)
        self.probe = Probe(self.readiness, self.health)

        def open_writer(name: str, size: int) -> Writer:
            engine = open_for_writing(parsed, bounds, self.health, size)
            return Writer(name, engine, size, self.health)

        self._writer = open_writer("writer", 1)
        # SQLite has one writer at a time. A decision that waits for a lock must keep no submission.
        self._decider = open_writer("decisions", deciding) if deciding else self._writer

    @property
    def engines(self) -> dict[str, AsyncEngine | Engine]:
        """All engines by the kind of their work."""
        return {
            **{pool.name: pool.engine for pool in self.pools},
            **{one.name: one.engine for one in (self._writer, self._decider)},
        }

    @property
    def engine(self) -> AsyncEngine:
        """The engine of all that has no connections of its own kind."""
        return self.moderators.engine

    def reading(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a transaction that only reads, for a moderator or whoever else has no pool of his own."""
        return self.moderators.reading()

    def writing(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a transaction that writes, as `reading` does."""
        return self.moderators.writing()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Do synchronous work in one transaction, which commits at its end or rolls back when it raises.

        It runs in a thread of its own, one piece after the other: to wait for each statement on the event
        loop would cost more than the statement.
        """
        async with self._turn:
            return await self._writer.do(work)

    async def change(self, work: Callable[[Connection], T], tell: Callable[[T], object] | None = None) -> T:
        """Do synchronous work of a moderator as `write` does, on PostgreSQL beside what is stored."""
        patience = Patience(self.moderators.patience_seconds, UNKNOWN)
        try:
            async with patience, self._turn:
                return await self._decider.do(work, tell)
        except Unavailable as error:
            self.moderators.note(error, patience)
            raise

    async def cut_log(self) -> None:
        """Cut what SQLite wrote ahead, where that is long, as it is after a VACUUM."""
        if self.health.file is not None:
            await asyncio.to_thread(self.health.file.cut_log)

    async def close(self) -> None:
        await self.probe.close()
        for writer in {self._writer, self._decider}:
            await writer.close()
        for pool in self.pools:
            await pool.engine.dispose()
