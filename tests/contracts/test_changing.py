"""One suite for both databases: what is done in one go is done whole, or not at all."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import Connection, text

from service.database import Database


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.write(lambda connection: connection.execute(text("CREATE TABLE note (number int)")))
    yield database
    await database.close()


def note(number: int, then: Callable[[], object] = lambda: None) -> Callable[[Connection], None]:
    """Give what notes a number, and then does something else before the commit."""

    def work(connection: Connection) -> None:
        connection.execute(text("INSERT INTO note VALUES (:number)"), {"number": number})
        then()

    return work


async def numbers(database: Database) -> list[int]:
    async with database.reading() as session:
        rows = await (await session.connection()).execute(text("SELECT number FROM note"))
        return sorted(rows.scalars())


async def test_what_fails_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.change(note(1, fail))
    await database.change(note(2))
    assert await numbers(database) == [2]


async def test_what_nobody_waits_for_any_more_is_not_begun(database: Database) -> None:
    may_end = threading.Event()
    # As many as can be done at once, and more.
    holding = [asyncio.create_task(database.change(note(one, may_end.wait))) for one in range(5)]
    given_up = asyncio.create_task(database.change(note(5)))
    await asyncio.sleep(0)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    may_end.set()
    await asyncio.gather(*holding)
    assert await numbers(database) == [0, 1, 2, 3, 4]


async def test_what_was_done_is_told_also_where_nobody_waits_for_it_any_more(database: Database) -> None:
    has_begun, may_end, told = threading.Event(), threading.Event(), asyncio.Event()

    def hold() -> None:
        has_begun.set()
        may_end.wait()

    given_up = asyncio.create_task(database.change(note(1, hold), lambda _: told.set()))
    await asyncio.to_thread(has_begun.wait)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert not told.is_set()
    may_end.set()
    await asyncio.wait_for(told.wait(), 30)
    assert await numbers(database) == [1]


# SQLite has one writer at a time.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_who_stores_waits_for_no_change_that_waits(database: Database) -> None:
    may_end = threading.Event()
    holding = asyncio.create_task(database.change(note(1, may_end.wait)))
    await database.write(note(2))
    assert await numbers(database) == [2]
    may_end.set()
    await holding
