"""Engines for either database, with all that a new connection is told."""

from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from service.database.bounds import Bounds

# Another process, such as the command line, may hold SQLite's write lock for a batch of its own.
BUSY_TIMEOUT_MILLISECONDS = 15_000
# A request that had to wait longer for its turn is better told so than kept.
MAX_WAIT_SECONDS = 10.0
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


def open_postgres(url: str, pool_size: int, bounds: Bounds) -> AsyncEngine:
    options = {**_postgres_options(bounds), "pool_size": pool_size, "max_overflow": pool_size}
    return create_async_engine(url, **options)


def open_for_writing(url: str, bounds: Bounds) -> Engine:
    """Make the engine of the writer, which needs one connection; psycopg serves both kinds of engine."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_size=1, max_overflow=0, **_postgres_options(bounds))
    plain = parsed.set(drivername="sqlite")
    engine = create_engine(plain, pool_size=1, max_overflow=0, **_SQLITE_OPTIONS)
    _prepare_sqlite(engine)
    return engine.execution_options(greenroom_write=True)


def open_sqlite(url: str) -> AsyncEngine:
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
