"""Reads that are under way together, and what changes meanwhile: each hears of it, and none is stale."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from service.changes import Change
from service.database import Database
from service.errors import NotFound, Unavailable
from service.publication.cache import read_through
from service.publication.cache.dependencies import Dependencies
from service.publication.cache.read_through import MAX_LOADS, Cache, Loaded, Standby
from service.publication.cache.store import FRESH_SECONDS, Store
from service.sites.directory import KnownSite
from service.sites.policy import SitePolicy
from service.telemetry.metrics import Metrics
from tests.waiting import DEADLINE_SECONDS, until

SITE = KnownSite(UUID(int=1), "blog", "Blog", ("https://blog.example",), SitePolicy())


class Look:
    """One look at an article, which sees the revision of its first moment and tells it when it may."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.error: Exception | None = None


class Articles:
    """The pages of some articles, and all looks that were taken at them.

    The articles stand here alone: the database knows none of them, and so never confirms an answer.
    """

    def __init__(self, database: Database) -> None:
        self.now = 0.0
        # No two moments are the same.
        self._ticks = count()
        self.store = Store(1 << 20, lambda: self.now + next(self._ticks) * 1e-6)
        self.database = database
        self.cache = Cache(database.pages, self.store, Metrics())
        self.revisions: dict[str, int] = {}
        self.looks: dict[str, list[Look]] = {"/a": [], "/b": [], "/c": []}
        self._came = asyncio.Condition()

    def ask(self, article: str) -> "asyncio.Task[int]":
        """Ask for an article; gives the revision that the answer tells of."""
        return asyncio.create_task(self._ask(article))

    async def _ask(self, article: str) -> int:
        async def load(_session: AsyncSession) -> Loaded:
            return await self._look(article)

        return int((await self.cache.get(article, SITE, load)).body)

    async def _look(self, article: str) -> Loaded:
        revision, look = self.revisions.get(article), Look()
        self.looks[article].append(look)
        async with self._came:
            self._came.notify_all()
        await look.may_end.wait()
        if look.error:
            raise look.error
        if revision is None:
            raise NotFound
        return b"%d" % revision, Dependencies(SITE, {article: revision})

    async def look_at(self, article: str, number: int = 1) -> Look:
        """Wait for a look at an article, the first or a later one."""
        async with asyncio.timeout(DEADLINE_SECONDS), self._came:
            await self._came.wait_for(lambda: len(self.looks[article]) >= number)
        return self.looks[article][number - 1]

    async def let_end(self, article: str, number: int = 1) -> None:
        (await self.look_at(article, number)).may_end.set()

    def change(self, article: str, *, is_heard: bool = True) -> None:
        self.revisions[article] = self.revisions.get(article, 0) + 1
        if is_heard:
            self.cache.invalidate({Change(SITE.id, article)})

    async def is_valid(self, _dependencies: Dependencies) -> bool:
        return True

    def held(self) -> dict[str, int]:
        """Give the size of all that there is beside the answers."""
        return {k: len(v) for k, v in vars(self.cache).items() if isinstance(v, dict | set | list)}


@pytest.fixture
async def articles(tmp_path: Path) -> AsyncIterator[Articles]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/greenroom.sqlite3")
    async with database.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    articles = Articles(database)
    for article in articles.looks:
        articles.change(article)
    yield articles
    await database.close()


async def test_each_read_keeps_its_own_notice_when_another_ends(articles: Articles) -> None:
    """The notices of all three are alike at some moment, and are still three."""
    first, second = articles.ask("/a"), articles.ask("/b")
    await articles.look_at("/a")
    await articles.let_end("/b")
    assert await second == 1
    articles.change("/a")
    third = articles.ask("/c")
    await articles.look_at("/c")
    await articles.let_end("/a")
    await articles.let_end("/a", 2)
    assert await first == 2
    articles.change("/c")
    await articles.let_end("/c")
    await articles.let_end("/c", 2)
    assert await third == 2
    # What is kept is what was read last.
    assert [await articles.ask(article) for article in ("/a", "/b", "/c")] == [2, 1, 2]
    assert [len(looks) for looks in articles.looks.values()] == [2, 1, 2]
    assert not any(articles.held().values())


async def test_a_change_that_all_hear_of_has_those_read_again_whom_it_concerns(
    articles: Articles,
) -> None:
    asked = [articles.ask(article) for article in articles.looks]
    for article in articles.looks:
        await articles.look_at(article)
    articles.change("/a")
    for article in reversed(articles.looks):
        await articles.let_end(article)
    await articles.look_at("/a", 2)
    articles.change("/a")
    await articles.let_end("/a", 2)
    await articles.let_end("/a", 3)
    assert [await one for one in asked] == [3, 1, 1]
    assert [len(looks) for looks in articles.looks.values()] == [3, 1, 1]
    assert not any(articles.held().values())


async def test_who_asks_after_a_change_is_not_told_that_there_is_nothing(
    articles: Articles,
) -> None:
    del articles.revisions["/a"]
    before = articles.ask("/a")
    await articles.look_at("/a")
    articles.change("/a")
    after = articles.ask("/a")
    await articles.let_end("/a")
    with pytest.raises(NotFound):
        await before
    await articles.let_end("/a", 2)
    assert await after == 1


async def test_who_asks_while_a_read_takes_long_is_not_given_what_is_old(
    articles: Articles,
) -> None:
    early = articles.ask("/a")
    await articles.look_at("/a")
    articles.change("/a", is_heard=False)
    articles.now = FRESH_SECONDS - 0.1
    in_time = articles.ask("/a")
    await asyncio.sleep(0)
    articles.now = FRESH_SECONDS
    late = articles.ask("/a")
    await asyncio.sleep(0)
    await articles.let_end("/a")
    await articles.let_end("/a", 2)
    assert [await early, await in_time, await late] == [1, 1, 2]
    assert FRESH_SECONDS < 2


async def test_that_the_database_does_not_answer_is_told_at_once_to_all_who_wait(
    articles: Articles,
) -> None:
    first = articles.ask("/a")
    look = await articles.look_at("/a")
    articles.now = FRESH_SECONDS
    second = articles.ask("/a")
    await asyncio.sleep(0)
    look.error = Unavailable()
    look.may_end.set()
    for asked in (first, second):
        with pytest.raises(Unavailable):
            await asked
    assert len(articles.looks["/a"]) == 1


async def test_an_article_that_never_stands_still_is_answered_and_not_taken_for_valid(
    articles: Articles,
) -> None:
    asked = articles.ask("/a")
    for number in range(1, MAX_LOADS + 1):
        await articles.look_at("/a", number)
        articles.change("/a")
        later = articles.ask("/a")
        await asyncio.sleep(0)
        await articles.let_end("/a", number)
    assert await asked == MAX_LOADS
    # He knows of the last change, which the last read did not see.
    await articles.let_end("/a", MAX_LOADS + 1)
    assert await later == MAX_LOADS + 1


async def test_what_is_being_loaded_is_marked_stale_as_well(articles: Articles) -> None:
    asked = articles.ask("/a")
    await articles.look_at("/a")
    articles.change("/a", is_heard=False)
    articles.cache.mark_stale()
    articles.now = 0.1
    await articles.let_end("/a")
    assert await asked == 1
    again = articles.ask("/a")
    await articles.let_end("/a", 2)
    assert await again == 2


@contextmanager
def without_complaints() -> Iterator[None]:
    """Hold what happens meanwhile to leaving no error that nobody was told of."""
    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, one: complaints.append(one))
    try:
        yield
        gc.collect()
    finally:
        loop.set_exception_handler(None)
    assert complaints == []


async def test_a_read_may_fail_when_nobody_waits_any_more(articles: Articles) -> None:
    async def has_ended() -> bool:
        return not any(articles.held().values())

    del articles.revisions["/a"]
    with without_complaints():
        asked = articles.ask("/a")
        look = await articles.look_at("/a")
        asked.cancel()
        look.may_end.set()
        await until(has_ended)
        del asked


async def test_a_copy_may_fail_after_it_was_given_up(
    articles: Articles, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = asyncio.all_tasks()

    async def fail(_session: AsyncSession) -> Loaded:
        try:
            await asyncio.Event().wait()
        finally:
            raise ConnectionResetError

    async def has_ended() -> bool:
        return asyncio.all_tasks() <= before

    monkeypatch.setattr(read_through, "STANDBY_SECONDS", 0.01)
    with without_complaints():
        assert await Standby(articles.database.pages, articles.is_valid, Metrics()).load(fail) is None
        await until(has_ended)
