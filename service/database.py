"""The database: the engine, and the two kinds of unit of work, `reading` and `writing`.

SQLite and PostgreSQL behind one shape. A write on SQLite starts with BEGIN IMMEDIATE and waits for its turn
in a queue of this process, so that no transaction fails half-way because another one wrote first.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import Session, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from service.errors import Unavailable

# Another process, such as the command line, may hold SQLite's write lock for a batch of its own.
BUSY_TIMEOUT_MILLISECONDS = 15_000
# A request that had to wait longer for its turn is better told so than kept.
MAX_WAIT_SECONDS = 10.0
# PostgreSQL: a request that waits longer than this for a row is better told so than kept.
STATEMENT_TIMEOUT = "-c lock_timeout=10s -c statement_timeout=30s"


class Database:
    """One engine and its transactions. `url` is a SQLAlchemy URL with an asynchronous driver."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(url) if self.is_sqlite else _postgres_engine(url, pool_size)
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
        await self.engine.dispose()


def insert(session: AsyncSession | Session, table: type[SQLModel]) -> PostgresInsert | SqliteInsert:
    """Start an INSERT of the session's database, which both know `ON CONFLICT` of."""
    plain = SQLModel.metadata.tables[str(table.__tablename__)]
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return sqlite_insert(plain) if is_sqlite else postgres_insert(plain)


def insert_new(
    session: AsyncSession | Session,
    table: type[SQLModel],
    values: dict[str, Any],
) -> PostgresInsert | SqliteInsert:
    """Insert a row unless its primary key or another unique value of it is already there."""
    return insert(session, table).values(values).on_conflict_do_nothing()


def count_up(
    session: Session, table: type[SQLModel], key: dict[str, Any], counts: dict[str, int]
) -> PostgresInsert | SqliteInsert:
    """Add to the counters of a row, which is made when it is not there."""
    statement = insert(session, table).values(**key, **counts)
    columns = {name: getattr(table, name) + count for name, count in counts.items()}
    return statement.on_conflict_do_update(index_elements=list(key), set_=columns)


def _postgres_engine(url: str, pool_size: int) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        pool_timeout=MAX_WAIT_SECONDS,
        # An error would otherwise carry the values of a statement into a log.
        hide_parameters=True,
        connect_args={"connect_timeout": 5, "options": STATEMENT_TIMEOUT},
    )


def _sqlite_engine(url: str) -> AsyncEngine:
    engine = create_async_engine(
        url,
        hide_parameters=True,
        pool_size=8,
        pool_timeout=MAX_WAIT_SECONDS,
        connect_args={"timeout": BUSY_TIMEOUT_MILLISECONDS / 1000},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare_connection(connection: Any, _record: object) -> None:
        # The driver's own BEGIN comes too late and is never IMMEDIATE (SQLAlchemy's recipe).
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode = WAL",
            # FULL: a commit that was answered survives the loss of power too.
            "synchronous = FULL",
            "foreign_keys = ON",
            f"busy_timeout = {BUSY_TIMEOUT_MILLISECONDS}",
            # What is deleted is overwritten: an erased address must not stay in the file.
            "secure_delete = ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        write = connection.get_execution_options().get("greenroom_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine
