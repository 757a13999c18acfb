"""Rows by the million into a database that nothing else uses meanwhile, by the quickest road that it has."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

Row = Sequence[Any]

# Those that hold no rule are made anew once the rows are there: sorting beats a million look-ups.
SQLITE_INDEXES = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND name LIKE 'ix_%'"
POSTGRES_INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'ix_%'"


class Bulk(Protocol):
    """Writes rows as they are; ids and times are put into the database's form before."""

    def as_id(self, value: UUID) -> Any:
        """Give an id in the database's form."""

    def as_time(self, value: datetime) -> Any:
        """Give a time in the database's form."""

    def write(self, table: str, columns: str, rows: Sequence[Row]) -> None:
        """Add rows; the columns are named with commas between them."""


@contextmanager
def open_bulk(database_url: str) -> Iterator[Bulk]:
    """Open a database to be filled in one transaction, and bring its statistics up to date at the end."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        with _open_sqlite(str(url.database)) as bulk:
            yield bulk
    else:
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with _open_postgres(plain) as bulk:
            yield bulk


@contextmanager
def _open_sqlite(file: str) -> Iterator[Bulk]:
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        # Who is killed here begins anew; the service sets both to what it wants when it opens the file.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -500000")
        connection.execute("BEGIN")
        indexes = connection.execute(SQLITE_INDEXES).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        yield _Sqlite(connection)
        for _, create in indexes:
            connection.execute(create)
        connection.execute("COMMIT")
    finally:
        connection.close()


class _Sqlite:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def as_id(self, value: UUID) -> str:
        return value.hex

    def as_time(self, value: datetime) -> str:
        return value.isoformat(" ", "microseconds").partition("+")[0]

    def write(self, table: str, columns: str, rows: Sequence[Row]) -> None:
        places = ", ".join("?" * len(columns.split(",")))
        self._connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", rows)


@contextmanager
def _open_postgres(url: str) -> Iterator[Bulk]:
    with psycopg.connect(url) as connection:
        # The rows keep to the foreign keys; checking each would take most of the time.
        connection.execute("SET session_replication_role = replica")
        indexes = connection.execute(POSTGRES_INDEXES).fetchall()
        for name, _ in indexes:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
        yield _Postgres(connection)
        for _, create in indexes:
            connection.execute(create)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


class _Postgres:
    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def as_id(self, value: UUID) -> UUID:
        return value

    def as_time(self, value: datetime) -> datetime:
        return value

    def write(self, table: str, columns: str, rows: Sequence[Row]) -> None:
        copy = sql.SQL(f"COPY {table} ({columns}) FROM STDIN")
        with self._connection.cursor() as cursor, cursor.copy(copy) as stream:
            for row in rows:
                stream.write_row(row)
