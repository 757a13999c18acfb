"""Several processes show the same: what one of them decides, all of them show, with Redis and without."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import httpx
import pytest
from redis import Redis

from service.command_line import commands
from service.publication.cache.channel import CHANNEL
from service.settings import load_settings
from tests.installation import COMMENTS, SITE, Installation, decide, install, submit_comments
from tests.processes import Server, ServerMissing
from tests.servers import start_private_redis
from tests.waiting import DEADLINE_SECONDS, until

pytestmark = pytest.mark.more

PROCESSES = 3
# Of ten numbered comments, the one under this article is the first.
PAGE = {"article": "/post-0"}
DEGRADED = "greenroom_channel_degraded 1.0"


@pytest.fixture
def redis() -> Iterator[Server]:
    try:
        with start_private_redis() as server:
            yield server
    except ServerMissing as error:
        pytest.skip(str(error))


@pytest.fixture
def purges() -> Iterator[tuple[str, "Queue[str]"]]:
    """Give the URL of a cache that takes PURGE, and the surrogate keys that it is sent."""
    keys: Queue[str] = Queue()

    class Cache(BaseHTTPRequestHandler):
        def do_PURGE(self) -> None:
            keys.put(self.headers["Surrogate-Key"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Cache) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", keys
        server.shutdown()
        thread.join()


class Readers:
    """One reader at each process, and the first process's moderator."""

    def __init__(self, readers: list[httpx.AsyncClient], bob: httpx.AsyncClient) -> None:
        self.all = readers
        self.bob = bob

    async def counts(self) -> set[int]:
        """Give what the processes count under the article."""
        pages = [await reader.get(COMMENTS, params=PAGE) for reader in self.all]
        assert {page.status_code for page in pages} == {200}, [page.text for page in pages]
        return {page.json()["count"] for page in pages}

    async def until_count(self, count: int) -> None:
        async def is_shown() -> bool:
            return await self.counts() == {count}

        await until(is_shown)

    async def until_degraded(self, total: int) -> None:
        """Wait until so many processes say that they do not hear from the others."""

        async def is_said() -> bool:
            return sum(DEGRADED in one for one in await self._metrics()) == total

        await until(is_said)

    async def _metrics(self) -> list[str]:
        return [(await reader.get("/metrics")).text for reader in self.all]


# Whatever lies below, word of it goes the same way.
SHARED_THE_SAME_WAY = pytest.mark.parametrize(
    "database_url", [pytest.param("sqlite", marks=pytest.mark.long), "postgresql"], indirect=True
)


@asynccontextmanager
async def reading(blog: Installation) -> AsyncIterator[Readers]:
    async with AsyncExitStack() as stack:
        readers = await stack.enter_async_context(blog.clients(len(blog.servers)))
        [bob] = await stack.enter_async_context(blog.clients(1, "bob"))
        yield Readers(readers, bob)


async def test_what_one_process_decides_every_process_shows(
    tmp_path: Path, database_url: str, redis: Server
) -> None:
    async with (
        install(tmp_path, database_url, redis_url=redis.url, processes=PROCESSES) as blog,
        reading(blog) as readers,
    ):
        comment = (await submit_comments(blog, [0]))[0]
        assert await readers.counts() == {0}
        for version, (action, count) in enumerate([("approve", 1), ("reject", 0), ("approve", 1)]):
            await decide(readers.bob, action, version + 1, [comment])
            await readers.until_count(count)


async def test_what_others_say_on_the_channel_disturbs_nobody(
    tmp_path: Path, database_url: str, redis: Server
) -> None:
    async with (
        install(tmp_path, database_url, redis_url=redis.url, processes=2) as blog,
        reading(blog) as readers,
    ):
        comment = (await submit_comments(blog, [0]))[0]
        with Redis.from_url(redis.url) as client:
            for noise in (b"", b"noise", b"\x92\xa4\xff\xff\xff\xff\x90", b"\x92\x01\x02"):
                assert client.publish(CHANNEL, noise) == len(blog.servers)
            await decide(readers.bob, "approve", 1, [comment])
            await readers.until_count(1)
            assert client.publish(CHANNEL, b"noise") == len(blog.servers)


@SHARED_THE_SAME_WAY
async def test_a_redis_that_stops_or_falls_silent_is_noticed_and_delays_no_removal_for_long(
    tmp_path: Path, database_url: str, redis: Server
) -> None:
    async with (
        install(tmp_path, database_url, redis_url=redis.url, processes=PROCESSES) as blog,
        reading(blog) as readers,
    ):
        comment = (await submit_comments(blog, [0]))[0]
        await decide(readers.bob, "approve", 1, [comment])
        await readers.until_count(1)

        redis.freeze()
        await decide(readers.bob, "reject", 2, [comment])
        await readers.until_count(0)
        await readers.until_degraded(PROCESSES)
        redis.thaw()
        await readers.until_degraded(0)

        await decide(readers.bob, "approve", 3, [comment])
        await readers.until_count(1)
        redis.stop()
        await decide(readers.bob, "spam", 4, [comment])
        await readers.until_count(0)
        await readers.until_degraded(PROCESSES)
        redis.start()
        await readers.until_degraded(0)


async def test_processes_that_share_nothing_but_the_database_follow_one_another(
    tmp_path: Path, database_url: str
) -> None:
    async with install(tmp_path, database_url, processes=2) as blog, reading(blog) as readers:
        comment = (await submit_comments(blog, [0]))[0]
        assert await readers.counts() == {0}
        await decide(readers.bob, "approve", 1, [comment])
        await readers.until_count(1)


@SHARED_THE_SAME_WAY
async def test_a_setting_from_the_command_line_reaches_every_process(
    tmp_path: Path, database_url: str
) -> None:
    async with (
        install(tmp_path, database_url, processes=PROCESSES) as blog,
        reading(blog) as readers,
    ):
        settings = load_settings({"GREENROOM_DATA_DIR": str(tmp_path / "data"), **blog.environment})
        async with commands.working(settings) as services:
            await commands.set_site(services, SITE, ["comments=closed"])

        async def is_closed() -> bool:
            url = f"/v1/sites/{SITE}/form"
            forms = [(await reader.get(url, params=PAGE)).json() for reader in readers.all]
            return not any(form["open"] for form in forms)

        await until(is_closed)


@SHARED_THE_SAME_WAY
async def test_the_cache_in_front_is_told_by_the_process_that_changed_something(
    tmp_path: Path, database_url: str, purges: tuple[str, "Queue[str]"]
) -> None:
    url, keys = purges
    environment = {"GREENROOM_PURGE_URL": url}
    async with (
        install(tmp_path, database_url, processes=2, environment=environment) as blog,
        reading(blog) as readers,
    ):
        comment = (await submit_comments(blog, [0]))[0]
        await decide(readers.bob, "approve", 1, [comment])
        told = await asyncio.to_thread(keys.get, timeout=DEADLINE_SECONDS)
        page = await readers.bob.get(COMMENTS, params=PAGE)
        feed = await readers.bob.get(f"{COMMENTS}.atom")
        other = await readers.bob.get(COMMENTS, params={"article": "/other"})
        # What tells of the article, and what tells of all of them, but not all else of the site.
        keys_of = [set(one.headers["surrogate-key"].split()) for one in (page, feed, other)]
        assert set(told.split()) == (keys_of[0] | keys_of[1]) - keys_of[2]
        await decide(readers.bob, "requeue", 2, [comment])
        again = await asyncio.to_thread(keys.get, timeout=DEADLINE_SECONDS)
        assert set(again.split()) == set(told.split())
    assert keys.empty()
