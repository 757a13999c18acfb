"""Pages come from a standby, and show every removal at once, however far it lags."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from tests.installation import COMMENTS, Installation, decide, install, submit_comments
from tests.processes import Server
from tests.servers import fresh_database, start_private_postgres, start_private_standby
from tests.waiting import until

pytestmark = pytest.mark.more

PAGE = {"article": "/post-0"}
# What the role of a standby's reader needs, as docs/operations/standby.md says.
READER = (
    "CREATE ROLE reader LOGIN",
    "GRANT USAGE ON SCHEMA public TO reader",
    "GRANT SELECT ON article, comment TO reader",
)


@pytest.fixture
def first() -> Iterator[Server]:
    with start_private_postgres() as server:
        yield server


@pytest.fixture
def standby(first: Server) -> Iterator[Server]:
    with start_private_standby(first) as server:
        yield server


def on(server: Server, database_url: str, *statements: str) -> None:
    url = urlsplit(server.url)._replace(path=urlsplit(database_url).path).geturl()
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@asynccontextmanager
async def blog_with_standby(
    folder: Path, first: Server, standby: Server
) -> AsyncIterator[tuple[Installation, str]]:
    with fresh_database(first.url) as url:
        reader = urlsplit(standby.url)
        place = reader._replace(netloc=f"reader@127.0.0.1:{reader.port}", path=urlsplit(url).path)
        environment = {"GREENROOM_STANDBY_URL": place.geturl()}
        async with install(folder, url, environment=environment) as blog:
            on(first, url, *READER)
            yield blog, url


async def used(reader: httpx.AsyncClient, outcome: str) -> bool:
    metrics = (await reader.get("/metrics")).text
    return f'greenroom_standby_reads_total{{outcome="{outcome}"}}' in metrics


async def count(reader: httpx.AsyncClient, **query: str | int) -> int:
    answer = await reader.get(COMMENTS, params={**PAGE, **query})
    assert answer.status_code == 200, answer.text
    total: int = answer.json()["count"]
    return total


async def test_pages_come_from_the_standby_and_lag_shows_nothing_that_was_removed(
    tmp_path: Path, first: Server, standby: Server
) -> None:
    async with (
        blog_with_standby(tmp_path, first, standby) as (blog, url),
        blog.clients(1, "bob") as [bob],
    ):
        comments = await submit_comments(blog, [0])
        await decide(bob, "approve", 1, comments)

        async def comes_from_the_standby() -> bool:
            # A page of another size each time is one that is not in memory.
            for limit in range(1, 200):
                assert await count(bob, limit=limit) == 1
                if await used(bob, "used"):
                    return True
            return False

        await until(comes_from_the_standby)

        on(standby, url, "SELECT pg_wal_replay_pause()")
        await decide(bob, "reject", 2, [comments[0]])
        assert await count(bob) == 0
        assert await used(bob, "behind")
        single = await bob.get(f"{COMMENTS}/{comments[0]}")
        assert single.status_code == 404
        await decide(bob, "approve", 3, [comments[0]])
        assert await count(bob) == 1
        single = await bob.get(f"{COMMENTS}/{comments[0]}")
        assert single.status_code == 200


async def test_a_standby_that_falls_silent_holds_nobody_up(
    tmp_path: Path, first: Server, standby: Server
) -> None:
    async with (
        blog_with_standby(tmp_path, first, standby) as (blog, _),
        blog.clients(1, "bob") as [bob],
    ):
        comments = await submit_comments(blog, [0])
        await decide(bob, "approve", 1, comments)
        # So that it has connections to the standby, whose end is not told.
        assert await count(bob) == 1
        standby.freeze()
        try:
            for limit in (1, 2, 3):
                assert await count(bob, limit=limit) == 1
            assert await used(bob, "failed")
        finally:
            standby.thaw()


async def test_without_its_standby_the_service_reads_the_database_itself(
    tmp_path: Path, first: Server, standby: Server
) -> None:
    async with (
        blog_with_standby(tmp_path, first, standby) as (blog, _),
        blog.clients(1, "bob") as [bob],
    ):
        comments = await submit_comments(blog, [0])
        standby.stop()
        await decide(bob, "approve", 1, comments)
        assert await count(bob) == 1
        assert await used(bob, "failed")
        # The database is well, which is what would be an error.
        log = "".join(server.log_text() for server in blog.servers)
        assert "The standby is away" in log
        assert '"level": "error"' not in log
