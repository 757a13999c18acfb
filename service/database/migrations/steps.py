"""Steps of a migration that take long, in a way that lets the service go on meanwhile.

On PostgreSQL each is done outside a transaction and can be broken off at any moment: what is left to do is
told by the database itself, so the same migration, run again, goes on from there. A migration that uses them
does nothing else. On SQLite they are plain statements in the migration's one transaction.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

from service.concurrency.pacing import Pace, pause_after

# Rows of a backfill in the smallest piece, which is the first one, and in the largest.
ROWS, MAX_ROWS = 200, 20_000


def create_index(
    name: str,
    table: str,
    columns: Sequence[str | sa.TextClause],
    *,
    unique: bool = False,
    where: str | None = None,
) -> None:
    """Make an index while the table is read and written; one that is whole already is left alone.

    Beside columns it may be over expressions.
    """
    condition = sa.text(where) if where else None
    if _is_sqlite():
        op.create_index(name, table, list(columns), unique=unique, sqlite_where=condition, if_not_exists=True)
        return
    with _concurrently():
        if _is_whole(name):
            return
        # What a run that was broken off has left is invalid, and costs every write something.
        op.drop_index(name, table_name=table, if_exists=True, postgresql_concurrently=True)
        op.create_index(
            name,
            table,
            list(columns),
            unique=unique,
            postgresql_where=condition,
            postgresql_concurrently=True,
        )


def drop_index(name: str, table: str) -> None:
    """Take an index away while the table is read and written."""
    if _is_sqlite():
        op.drop_index(name, table_name=table, if_exists=True)
        return
    with _concurrently():
        op.drop_index(name, table_name=table, if_exists=True, postgresql_concurrently=True)


def backfill(table: str, values: str, where: str, *, key: str = "id") -> None:
    """Change all rows that `where` names, which it must not name any more afterwards; both are SQL.

    Each piece is a transaction of its own, with a pause after it. The key is a number or a UUID.
    """
    if _is_sqlite():
        op.execute(f"UPDATE {table} SET {values} WHERE {where}")  # noqa: S608 - A migration wrote it.
        return
    pace, after = Pace(ROWS, MAX_ROWS), None
    with op.get_context().autocommit_block():
        while True:
            started = time.monotonic()
            # Without a place to begin at, each piece would walk over all that is done.
            behind = "" if after is None else f" AND {key} > :after"
            piece = (
                f"UPDATE {table} SET {values} WHERE {key} IN"  # noqa: S608 - A migration wrote it.
                f" (SELECT {key} FROM {table}"
                f" WHERE ({where}){behind} ORDER BY {key} LIMIT :size) RETURNING {key}"
            )
            given = {"size": pace.size} if after is None else {"size": pace.size, "after": after}
            changed = op.get_bind().scalars(sa.text(piece), given).all()
            if not changed:
                return
            after = max(changed)
            pace.adapt(time.monotonic() - started)
            time.sleep(pause_after(time.monotonic() - started))


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


@contextmanager
def _concurrently() -> Iterator[None]:
    """Leave transactions, and wait without a bound for locks that keep nobody out meanwhile."""
    with op.get_context().autocommit_block():
        before = op.get_bind().scalar(sa.text("SHOW lock_timeout"))
        op.execute("SET lock_timeout = 0")
        yield
        op.execute(f"SET lock_timeout = '{before}'")


def _is_whole(name: str) -> bool:
    query = sa.text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
    return bool(op.get_bind().scalar(query, {"name": name}))
