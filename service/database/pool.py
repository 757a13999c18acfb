"""The two kinds of unit of work, `reading` and `writing`, on the connections of one kind of work.

A write on SQLite starts with BEGIN IMMEDIATE and waits for its turn in a queue of this process, so that no
transaction fails half-way because another one wrote first.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from service.concurrency.patience import Patience
from service.database.bounds import Bounds
from service.database.engines import WRITING
from service.database.health import Health
from service.errors import Unavailable

Turn = asyncio.Lock | nullcontext[None]
SILENT = "The database did not answer in time."
UNKNOWN = f"{SILENT} Whether anything was changed is not known: look, or send it again."


class Pool:
    """The connections of one kind of work, and its transactions."""

    def __init__(self, name: str, engine: AsyncEngine, bounds: Bounds, health: Health, turn: Turn) -> None:
        self.name = name
        self.engine = engine
        self.patience_seconds = bounds.patience_seconds
        self._health = health
        self._turn = turn

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that must not write; nothing in it is ever committed."""
        self._health.require_file()
        patience = Patience(self.patience_seconds, SILENT)
        try:
            async with patience, AsyncSession(self.engine, expire_on_commit=False) as session:
                yield session
        except (DBAPIError, PoolTimeout, Unavailable) as error:
            self.note(error, patience)
            raise

    @asynccontextmanager
    async def trying(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that may write, and takes it all back."""
        engine = self.engine.execution_options(**WRITING)
        async with (
            Patience(self.patience_seconds, SILENT),
            AsyncSession(engine, expire_on_commit=False) as session,
        ):
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that commits at the end of the block, or rolls back when it raises.

        What follows the block may tell the world: the commit is durable by then.
        """
        self._health.require_sound_file()
        patience = Patience(self.patience_seconds, UNKNOWN)
        # Read by the engine's `begin` listener: only SQLite distinguishes the two kinds.
        engine = self.engine.execution_options(**WRITING)
        try:
            async with (
                patience,
                self._turn,
                AsyncSession(engine, expire_on_commit=False) as session,
                session.begin(),
            ):
                yield session
        except (DBAPIError, PoolTimeout, Unavailable) as error:
            self.note(error, patience, self.name)
            raise
        # Before anybody hears of it.
        self._health.require_sound_file()
        self._health.stored(self.name)

    def note(self, error: Exception, patience: Patience, stored_by: str | None = None) -> None:
        """Take note of what a unit of work failed with, be it that it waited for too long."""
        if patience.is_over:
            # On SQLite it is only each other that writers wait for.
            self._health.tell("busy" if self._health.file else "unreachable", "silence")
        else:
            self._health.note(error, stored_by=stored_by)
