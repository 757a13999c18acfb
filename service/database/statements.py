"""Statements that both databases know, each in its own words, and rows that are there already."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from sqlalchemy import Connection, Index, Table, text
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

AnyInsert = PostgresInsert | SqliteInsert


def table_of(model: type[SQLModel]) -> Table:
    """Give the plain table of a model, for statements that need no objects."""
    return SQLModel.metadata.tables[str(model.__tablename__)]


def insert(connection: Connection, table: type[SQLModel]) -> AnyInsert:
    """Start an INSERT of the connection's database, which both know `ON CONFLICT` of."""
    return _insert(connection.dialect.name, table)


def _insert(dialect: str, table: type[SQLModel]) -> AnyInsert:
    plain = table_of(table)
    return sqlite_insert(plain) if dialect == "sqlite" else postgres_insert(plain)


def insert_new(connection: Connection, table: type[SQLModel]) -> AnyInsert:
    """Start an INSERT that leaves out rows of which a unique value is already there."""
    return insert(connection, table).on_conflict_do_nothing()


def insert_rows(connection: Connection, table: type[SQLModel], rows: Sequence[dict[str, Any]]) -> int:
    """Insert rows but those that are already there, all with the same columns; gives how many went in."""
    return connection.execute(insert_new(connection, table), rows).rowcount if rows else 0


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


# To make one takes 0.1 ms: a decision has three and takes 0.8, a submission that comes alone two of 0.4.
@cache
def _count_up_rows(
    dialect: str, table: type[SQLModel], keys: tuple[str, ...], counts: tuple[str, ...]
) -> AnyInsert:
    statement = _insert(dialect, table)
    sums = {name: getattr(table, name) + statement.excluded[name] for name in counts}
    return statement.on_conflict_do_update(index_elements=keys, set_=sums)


def index_of_some(name: str, where: str, *columns: Any, unique: bool = False) -> Index:
    """Make an index of the rows for which something holds."""
    condition = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


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
    return getattr(error.orig, "sqlstate", "") == "23505" or getattr(error.orig, "sqlite_errorname", "") in {
        "SQLITE_CONSTRAINT_UNIQUE",
        "SQLITE_CONSTRAINT_PRIMARYKEY",
    }
