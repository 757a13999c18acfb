"""Processes behind nginx are restarted one after the other under load, and nobody notices.

Those with workers run as in the image: its account, no capability, a read-only root.
"""

import asyncio
import os
import signal
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path

import httpx
import pytest

from service.settings import Settings
from tests.installation import COMMENTS, Installation, install, walk_pages
from tests.processes import Server, like_the_image, wait_until
from tests.proxies import start_site_nginx, start_upstream_nginx, trust
from tests.servers import find_workers, start_service

pytestmark = pytest.mark.more

READERS = 2
WRITERS = 2


class Load:
    """Readers and writers that go on until they are stopped, and what they were answered."""

    def __init__(self, url: str, verify: ssl.SSLContext | bool = True) -> None:
        self.url = url
        self._verify = verify
        self.read: Counter[int | str] = Counter()
        self.written: Counter[int | str] = Counter()
        self.sent: list[str] = []
        self._numbers = count()
        self._is_over = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            for _ in range(READERS):
                group.create_task(self._repeat(self._read))
            for _ in range(WRITERS):
                group.create_task(self._repeat(self._write))
            yield
            self._is_over = True

    async def _repeat(self, step: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
        async with httpx.AsyncClient(
            base_url=self.url, timeout=60, trust_env=False, verify=self._verify
        ) as client:
            while not self._is_over:
                await step(client)

    async def _read(self, client: httpx.AsyncClient) -> None:
        answer = await client.get(COMMENTS, params={"article": "/post"})
        self.read[answer.status_code] += 1

    async def _write(self, client: httpx.AsyncClient) -> None:
        text = f"Comment {next(self._numbers)}."
        fields = {"article": "/post", "text": text, "name": "Dave", "email": "dave@mail.example"}
        answer = await client.post(COMMENTS, json=fields)
        self.written[answer.status_code] += 1
        self.sent.append(text)


@contextmanager
def nginx_before(servers: list[Server]) -> Iterator[Server]:
    with start_upstream_nginx(servers) as nginx:
        yield nginx


@contextmanager
def compose_nginx(servers: list[Server], _folder: Path) -> Iterator[Load]:
    """Load the nginx of compose.yaml."""
    with nginx_before(servers) as nginx:
        yield Load(nginx.url)


@contextmanager
def site_nginx(servers: list[Server], folder: Path) -> Iterator[Load]:
    """Load the site of Debian's nginx, by TLS."""
    with start_site_nginx(servers, folder) as (_, url):
        yield Load(url, trust(folder))


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "scratch").mkdir()
    return {
        "GREENROOM_DRAIN_SECONDS": str(Settings().drain_seconds),
        "GREENROOM_TRUSTED_PROXIES": "127.0.0.1",
        "TMPDIR": str(tmp_path / "scratch"),
    }


def start_workers(folder: Path, environment: Mapping[str, str]) -> AbstractContextManager[Server]:
    return start_service(folder, environment, "--workers", "2", prefix=like_the_image(folder))


# The nginx of compose.yaml stands before workers too, below.
@pytest.mark.parametrize("proxy", [pytest.param(compose_nginx, marks=pytest.mark.long), site_nginx])
async def test_processes_are_restarted_one_after_the_other(
    proxy: Callable[[list[Server], Path], AbstractContextManager[Load]],
    tmp_path: Path,
    postgres_url: str,
    redis_url: str,
    environment: dict[str, str],
) -> None:
    async with install(
        tmp_path, postgres_url, redis_url=redis_url, processes=2, environment=environment
    ) as blog:
        with proxy(blog.servers, tmp_path) as load:
            async with load.running():
                for server in blog.servers:
                    await asyncio.to_thread(server.restart)
        await expect_no_error(blog, load)


async def test_two_services_of_two_workers_are_restarted_one_after_the_other(
    tmp_path: Path, postgres_url: str, redis_url: str, environment: dict[str, str]
) -> None:
    async with install(
        tmp_path, postgres_url, redis_url=redis_url, environment=environment, processes=0
    ) as blog:
        with (
            start_workers(tmp_path, blog.environment) as first,
            start_workers(tmp_path, blog.environment) as second,
            nginx_before([first, second]) as nginx,
        ):
            load = Load(nginx.url)
            async with load.running():
                for server in (first, second):
                    await asyncio.to_thread(server.restart)
            blog.servers.append(first)
            await expect_no_error(blog, load)


async def test_sighup_replaces_the_workers_in_turn(
    tmp_path: Path, postgres_url: str, redis_url: str, environment: dict[str, str]
) -> None:
    async with install(
        tmp_path, postgres_url, redis_url=redis_url, environment=environment, processes=0
    ) as blog:
        with (
            start_workers(tmp_path, blog.environment) as server,
            nginx_before([server]) as nginx,
        ):
            wait_until(lambda: server.log_text().count("worker serves") == 2, "both workers")
            before = find_workers(server)
            load = Load(nginx.url)
            async with load.running():
                os.kill(server.pid, signal.SIGHUP)
                for left in (1, 0):
                    await until_left(before, left, server)
            blog.servers.append(server)
            await expect_no_error(blog, load)


async def until_left(workers: set[int], count: int, server: Server) -> None:
    """Wait until so many of these workers are there."""
    await asyncio.to_thread(
        wait_until,
        lambda: len(workers & find_workers(server)) == count,
        f"all but {count} of the workers to be replaced",
    )


async def expect_no_error(blog: Installation, load: Load) -> None:
    """Every request was answered as always, and what was taken is there, once."""
    assert set(load.read) == {200}, load.read
    assert set(load.written) == {202}, load.written
    async with blog.clients(1, "bob") as [bob]:
        stored = await walk_pages(bob, "/v1/moderation/comments", site="blog", limit="200")
    assert sorted(comment["text"] for comment in stored) == sorted(load.sent)
