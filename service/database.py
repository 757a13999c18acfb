"""The database: the engine, and the two kinds of unit of work, `reading` and `writing`.

SQLite and PostgreSQL behind one shape. A write on SQLite starts with BEGIN IMMEDIATE and waits for its turn
in a queue of this process, so that no transaction fails half-way because another one wrote first.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Engine, Pool, create_engine, event
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import Session, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from service.errors import Unavailable

T = TypeVar("T")

# Another process, such as the command line, may hold SQLite's write lock for a batch of its own.
BUSY_TIMEOUT_MILLISECONDS = 15_000
# A request that had to wait longer for its turn is better told so than kept.
MAX_WAIT_SECONDS = 10.0


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What PostgreSQL allows a kind of work, in seconds; 0 is without a bound."""

    lock_seconds: int = 10
    """How long a statement waits for a lock: who waits for a row longer is better told so than kept."""
    statement_seconds: int = 30

    @property
    def options(self) -> str:
        """The bounds as options of a new connection."""
        return (
            f"-c lock_timeout={self.lock_seconds}s -c statement_timeout={self.statement_seconds}s"
        )


REQUESTS = Bounds()
# What somebody started by hand and waits for, such as a migration that makes an index.
MAINTENANCE = Bounds(statement_seconds=0)


class Database:
    """One engine and its transactions. `url` is a SQLAlchemy URL with an asynchronous driver."""

    def __init__(self, url: str, *, pool_size: int = 10, bounds: Bounds = REQUESTS) -> None:
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine = (
            _sqlite_engine(url) if self.is_sqlite else _postgres_engine(url, pool_size, bounds)
        )
        self._writer = Writer(url, bounds)
        self._turn = asyncio.Lock()

    @property
    def pools(self) -> dict[str, Pool]:
        """The pools of connections, by what they are for."""
        return {"requests": self.engine.pool, "writer": self._writer.pool}

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


class Writer:
    """A thread with a synchronous connection of its own, which does one piece of work after the other."""

    def __init__(self, url: str, bounds: Bounds) -> None:
        self._engine = _writing_engine(url, bounds)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")

    @property
    def pool(self) -> Pool:
        return self._engine.pool

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


AnyConnection = AsyncSession | Session | Connection


def insert(connection: AnyConnection, table: type[SQLModel]) -> PostgresInsert | SqliteInsert:
    """Start an INSERT of the connection's database, which both know `ON CONFLICT` of."""
    bound = connection if isinstance(connection, Connection) else connection.get_bind()
    return _insert(bound.dialect.name, table)


def _insert(dialect: str, table: type[SQLModel]) -> PostgresInsert | SqliteInsert:
    plain = SQLModel.metadata.tables[str(table.__tablename__)]
    return sqlite_insert(plain) if dialect == "sqlite" else postgres_insert(plain)


def insert_new(
    session: AnyConnection,
    table: type[SQLModel],
    values: dict[str, Any],
) -> PostgresInsert | SqliteInsert:
    """Insert a row unless its primary key or another unique value of it is already there."""
    return insert(session, table).values(values).on_conflict_do_nothing()


def insert_rows(
    connection: Connection, table: type[SQLModel], rows: Sequence[dict[str, Any]]
) -> int:
    """Insert rows but those of which a unique value is already there; gives how many went in.

    All rows have the same columns.
    """
    if not rows:
        return 0
    return connection.execute(_insert_new_rows(connection.dialect.name, table), rows).rowcount


def count_up(
    connection: Connection,
    table: type[SQLModel],
    counts: tuple[str, ...],
    rows: Sequence[dict[str, Any]],
) -> None:
    """Add to the counters of rows, which are made when they are not there; `counts` names the columns."""
    if rows:
        keys = tuple(name for name in rows[0] if name not in counts)
        connection.execute(_count_up_rows(connection.dialect.name, table, keys, counts), rows)


# The rows are parameters, so that each of these statements is made and compiled once.
@cache
def _insert_new_rows(dialect: str, table: type[SQLModel]) -> PostgresInsert | SqliteInsert:
    return _insert(dialect, table).on_conflict_do_nothing()


@cache
def _count_up_rows(
    dialect: str, table: type[SQLModel], keys: tuple[str, ...], counts: tuple[str, ...]
) -> PostgresInsert | SqliteInsert:
    statement = _insert(dialect, table)
    sums = {name: getattr(table, name) + statement.excluded[name] for name in counts}
    return statement.on_conflict_do_update(index_elements=keys, set_=sums)


# An error would otherwise carry the values of a statement into a log.
_OPTIONS: dict[str, Any] = {"hide_parameters": True, "pool_timeout": MAX_WAIT_SECONDS}
# A server that vanished from the network is noticed within about ten seconds, not after hours.
_KEEPALIVE = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_SQLITE_OPTIONS: dict[str, Any] = {
    **_OPTIONS,
    "connect_args": {"timeout": BUSY_TIMEOUT_MILLISECONDS / 1000},
}


def _postgres_options(bounds: Bounds) -> dict[str, Any]:
    connect = {"connect_timeout": 5, "options": bounds.options, **_KEEPALIVE}
    return {**_OPTIONS, "pool_pre_ping": True, "connect_args": connect}


def _postgres_engine(url: str, pool_size: int, bounds: Bounds) -> AsyncEngine:
    options = {**_postgres_options(bounds), "pool_size": pool_size, "max_overflow": pool_size}
    return create_async_engine(url, **options)


def _writing_engine(url: str, bounds: Bounds) -> Engine:
    """Make the engine of the writer, which needs one connection; psycopg serves both kinds of engine."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_size=1, max_overflow=0, **_postgres_options(bounds))
    plain = parsed.set(drivername="sqlite")
    engine = create_engine(plain, pool_size=1, max_overflow=0, **_SQLITE_OPTIONS)
    _prepare_sqlite(engine)
    return engine.execution_options(greenroom_write=True)


def _sqlite_engine(url: str) -> AsyncEngine:
    engine = create_async_engine(url, pool_size=8, **_SQLITE_OPTIONS)
    _prepare_sqlite(engine.sync_engine)
    return engine


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def prepare_connection(connection: Any, _record: object) -> None:
        # The driver's own BEGIN comes too late and is never IMMEDIATE (SQLAlchemy's recipe).
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode = WAL",
            # FULL: a commit that was answered survives the loss of power too.
            "synchronous = FULL",
            "foreign_keys = ON",
            # What a savepoint would put back is kept here, not in a file made for each batch.
            "temp_store = MEMORY",
            f"busy_timeout = {BUSY_TIMEOUT_MILLISECONDS}",
            # What is deleted is overwritten: an erased address must not stay in the file.
            "secure_delete = ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        write = connection.get_execution_options().get("greenroom_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
