"""Statements that both databases know, each in its own words, and rows that are there already."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from sqlalchemy import Connection, Index, text
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

AnyConnection = AsyncSession | Session | Connection


def insert(connection: AnyConnection, table: type[SQLModel]) -> PostgresInsert | SqliteInsert:
    """Start an INSERT of the connection's database, which both know `ON CONFLICT` of."""
    bound = connection if isinstance(connection, Connection) else connection.get_bind()
    return _insert(bound.dialect.name, table)


def _insert(dialect: str, table: type[SQLModel]) -> PostgresInsert | SqliteInsert:
    plain = SQLModel.metadata.tables[str(table.__tablename__)]
    return sqlite_insert(plain) if dialect == "sqlite" else postgres_insert(plain)


def index_of_some(name: str, where: str, *columns: Any, unique: bool = False) -> Index:
    """Make an index of the rows for which something holds."""
    condition = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


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


@asynccontextmanager
async def only_once(session: AsyncSession, refusal: Exception) -> AsyncIterator[None]:
    """Write what is added in the block; raises the refusal where somebody else was first."""
    try:
        yield
        # Here, so that it is known what was not unique.
        await session.flush()
    except IntegrityError as error:
        if is_unique_violation(error):
            raise refusal from None
        raise


def is_unique_violation(error: IntegrityError) -> bool:
    """Tell a lost race from a row that could never be stored, on either database."""
    return getattr(error.orig, "sqlstate", "") == "23505" or getattr(
        error.orig, "sqlite_errorname", ""
    ) in {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}
