"""The steps of migrations, on both databases: they can be broken off, and are then gone on with."""

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from service.database.migrations import steps
from service.database.migrations.patience import Patience
from service.database.migrations.running import open_for_migrating

ROWS = 25


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_for_migrating(database_url, Patience())
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE thing (id uuid PRIMARY KEY, size int, times int)"))
        given = [{"id": str(UUID(int=number)), "size": number} for number in range(ROWS)]
        connection.execute(text("INSERT INTO thing VALUES (:id, :size, 0)"), given)
    yield engine
    engine.dispose()


def run(engine: Engine, step: Callable[[], None]) -> None:
    """Run a step as a migration does: on SQLite in a transaction that is open, on PostgreSQL in its own."""
    with engine.connect() as connection:
        transaction = connection.begin() if engine.dialect.name == "sqlite" else None
        context = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
        with Operations.context(context), context.begin_transaction(_per_migration=True):
            step()
        if transaction:
            transaction.commit()


def indexes(engine: Engine) -> dict[str | None, bool]:
    return {one["name"]: bool(one["unique"]) for one in inspect(engine).get_indexes("thing")}


def test_an_index_is_made_once_and_taken_away_once(engine: Engine) -> None:
    for _ in range(2):
        run(engine, lambda: steps.create_index("ix_size", "thing", ["size"], where="size > 3"))
        run(engine, lambda: steps.create_index("uq_size", "thing", ["size"], unique=True))
    assert indexes(engine) == {"ix_size": False, "uq_size": True}
    for _ in range(2):
        run(engine, lambda: steps.drop_index("ix_size", "thing"))
    assert indexes(engine) == {"uq_size": True}


def test_an_index_that_cannot_be_made_is_made_once_it_can(engine: Engine) -> None:
    def make() -> None:
        steps.create_index("uq_times", "thing", ["times"], unique=True)

    for _ in range(2):
        with pytest.raises(DBAPIError, match=r"uq_times|thing\.times"):
            run(engine, make)
    with engine.begin() as connection:
        connection.execute(text("UPDATE thing SET times = size"))
    run(engine, make)
    assert indexes(engine) == {"uq_times": True}
    with engine.connect() as connection, pytest.raises(DBAPIError):
        connection.execute(text("UPDATE thing SET times = 1"))


def grow(engine: Engine) -> None:
    """Count for each row how often it was changed, so that one that is changed twice shows."""
    run(engine, lambda: steps.backfill("thing", "size = -size, times = times + 1", "size > 0"))


def counted(connection: Connection) -> list[int]:
    return list(connection.scalars(text("SELECT times FROM thing ORDER BY id")))


def test_a_backfill_changes_each_row_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "ROWS", 4)
    monkeypatch.setattr(steps, "MAX_ROWS", 4)
    for _ in range(2):
        grow(engine)
    with engine.connect() as connection:
        assert counted(connection) == [0] + [1] * (ROWS - 1)


def test_a_backfill_that_was_broken_off_goes_on(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "ROWS", 4)
    monkeypatch.setattr(steps, "MAX_ROWS", 4)
    with engine.begin() as connection:
        connection.execute(text("CREATE UNIQUE INDEX blocked ON thing (times) WHERE size = -11"))
        blocker = "INSERT INTO thing VALUES (:id, -11, 1)"
        connection.execute(text(blocker), {"id": str(UUID(int=99))})
    with pytest.raises(DBAPIError, match=r"blocked|thing\.times"):
        grow(engine)
    with engine.begin() as connection:
        done = sum(counted(connection)) - 1
        # On PostgreSQL the pieces before stay; on SQLite it is one transaction.
        assert done == (0 if engine.dialect.name == "sqlite" else 8)
        connection.execute(text("DELETE FROM thing WHERE id = :id"), {"id": str(UUID(int=99))})
    grow(engine)
    with engine.connect() as connection:
        assert counted(connection) == [0] + [1] * (ROWS - 1)
