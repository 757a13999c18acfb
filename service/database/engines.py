"""Engines for either database."""

from functools import partial
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from service.database import sqlite
from service.database.bounds import Bounds
from service.database.faults import name_fault
from service.database.health import Health

# What begins a transaction that writes; only SQLite has to be told.
WRITING = {"greenroom_write": True}


def open_engine(url: URL, size: int, bounds: Bounds, health: Health) -> AsyncEngine:
    """Make an engine for units of work, with so many connections at most."""
    options = _options(size, bounds)
    if health.file is not None:
        engine = create_async_engine(url, **options, connect_args=_SQLITE)
    else:
        # Its driver takes 7 MiB, which nobody needs beside SQLite.
        from service.database import postgres

        opening = {"async_creator_fn": partial(postgres.connect_async, bounds)}
        engine = create_async_engine(
            url, **options, pool_pre_ping=True, connect_args={**postgres.OPTIONS, **opening}
        )
    _prepare(engine.sync_engine, bounds, health)
    return engine


def open_for_writing(url: URL, bounds: Bounds, health: Health, size: int = 1) -> Engine:
    """Make the engine of a writer, with a connection for each of its threads."""
    options = _options(size, bounds)
    if health.file is not None:
        plain = url.set(drivername="sqlite")
        engine = create_engine(plain, **options, connect_args=_SQLITE)
    else:
        from service.database import postgres

        # One driver serves both kinds of engine.
        engine = create_engine(url, **options, pool_pre_ping=True, connect_args=postgres.OPTIONS)

        @event.listens_for(engine, "do_connect")
        def connect(_dialect: object, _record: object, args: Any, parameters: Any) -> Any:
            return postgres.connect(bounds, *args, **parameters)

    _prepare(engine, bounds, health)
    return engine.execution_options(**WRITING)


_SQLITE = {"timeout": sqlite.BUSY_MILLISECONDS / 1000}


def _options(size: int, bounds: Bounds) -> dict[str, Any]:
    return {
        # An error would otherwise carry the values of a statement into a log.
        "hide_parameters": True,
        "pool_size": size,
        "max_overflow": 0,
        "pool_timeout": bounds.statement_seconds or bounds.lock_seconds,
    }


def _prepare(engine: Engine, bounds: Bounds, health: Health) -> None:
    if health.file is not None:
        sqlite.prepare(engine, bounds, health.file, health.require_file)

    @event.listens_for(engine, "handle_error")
    def renew(context: ExceptionContext) -> None:
        """Let go of all connections to a server that only reads: another may write by now."""
        error = context.sqlalchemy_exception
        if error is not None and health.file is None and name_fault(error) == "read-only":
            context.is_disconnect = True
