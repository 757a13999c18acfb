"""One suite for both databases: what waits together is committed together, and each gets its own answer."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy import Connection, text

from service.database import Database
from service.database.group_commit import MAX_BATCH, GroupCommit
from service.errors import Unavailable

# More than two batches.
MAX_WAITING = 500


class Notebook:
    """Writes numbers down, once it is let; notes which came together. An odd one is refused."""

    def __init__(self, database: Database) -> None:
        self.batches: list[list[int]] = []
        self.may_write = threading.Event()
        self.database = database
        self.writer = GroupCommit(database, self.write_batch, MAX_WAITING)

    def write_batch(self, connection: Connection, jobs: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(jobs))
        assert self.may_write.wait(30)
        for number in jobs:
            connection.execute(text("INSERT INTO note VALUES (:number)"), {"number": number})
        return [ValueError(number) if number % 2 else 10 * number for number in jobs]

    async def write_during_a_batch(self, *numbers: int) -> list[asyncio.Task[int]]:
        """Hand in 0, and others while that is being written."""
        first = asyncio.create_task(self.writer.write(0))
        while not self.batches:  # noqa: ASYNC110 - the thread has no way to tell.
            await asyncio.sleep(0)
        rest = [asyncio.create_task(self.writer.write(number)) for number in numbers]
        await asyncio.sleep(0)
        return [first, *rest]

    async def numbers(self) -> list[int]:
        async with self.database.reading() as session:
            rows = await (await session.connection()).execute(text("SELECT number FROM note"))
            return sorted(rows.scalars())


@pytest.fixture
async def notebook(database_url: str) -> AsyncIterator[Notebook]:
    database = Database(database_url)
    await database.write(lambda connection: connection.execute(text("CREATE TABLE note (number int)")))
    yield Notebook(database)
    await database.close()


async def test_what_comes_during_a_batch_goes_together_in_the_next(notebook: Notebook) -> None:
    async with notebook.writer.running():
        tasks = await notebook.write_during_a_batch(2, 4, 6)
        assert notebook.writer.waiting == 4
        assert notebook.writer.longest_wait_seconds > 0
        notebook.may_write.set()
        assert await asyncio.gather(*tasks) == [0, 20, 40, 60]
    assert (notebook.writer.waiting, notebook.writer.longest_wait_seconds) == (0, 0)
    assert notebook.batches == [[0], [2, 4, 6]]
    assert await notebook.numbers() == [0, 2, 4, 6]


async def test_each_gets_its_own_result_or_error(notebook: Notebook) -> None:
    async with notebook.writer.running():
        tasks = await notebook.write_during_a_batch(1, 2)
        notebook.may_write.set()
        _, refused, stored = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(refused, ValueError)
    assert stored == 20


async def test_a_batch_that_cannot_be_committed_fails_for_all_in_it_alone(
    notebook: Notebook,
) -> None:
    notebook.may_write.set()
    async with notebook.writer.running():
        too_large = 1 << 70
        with pytest.raises(Exception, match=r"too large|out of range"):
            await notebook.writer.write(too_large)
        assert await notebook.writer.write(2) == 20
    assert await notebook.numbers() == [2]


async def test_who_has_gone_before_his_turn_is_not_written(notebook: Notebook) -> None:
    async with notebook.writer.running():
        _, gone, stays = await notebook.write_during_a_batch(2, 4)
        gone.cancel()
        await asyncio.wait([gone])
        notebook.may_write.set()
        await stays
    assert await notebook.numbers() == [0, 4]


async def test_the_queue_is_bounded_and_so_is_a_batch(notebook: Notebook) -> None:
    async with notebook.writer.running():
        tasks = await notebook.write_during_a_batch(*range(2, 2 * MAX_WAITING + 2, 2))
        with pytest.raises(Unavailable) as refused:
            await notebook.writer.write(1)
        assert refused.value.headers == {"Retry-After": "1"}
        assert refused.value.reason == "full"
        notebook.may_write.set()
        await asyncio.gather(*tasks)
    assert max(map(len, notebook.batches)) == MAX_BATCH
    assert len(await notebook.numbers()) == MAX_WAITING + 1


async def test_when_told_to_stop_it_writes_what_waits(notebook: Notebook) -> None:
    async with notebook.writer.running():
        tasks = await notebook.write_during_a_batch(2, 4)
        notebook.may_write.set()
    assert all(task.done() for task in tasks)
    assert await notebook.numbers() == [0, 2, 4]


async def test_another_writer_of_the_process_waits_for_its_turn(notebook: Notebook) -> None:
    """On SQLite; on PostgreSQL the two write beside each other."""
    notebook.may_write.set()
    async with notebook.writer.running():
        async with notebook.database.writing() as session:
            writing = asyncio.create_task(notebook.writer.write(2))
            await session.exec(text("INSERT INTO note VALUES (4)"))  # type: ignore[call-overload]
        await writing
    assert await notebook.numbers() == [2, 4]
