"""Streams of real processes: told by all of them, bounded over all, and in nobody's way at the end."""

import asyncio
import os
import re
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from service.publication.streams import BATCH
from tests.installation import COMMENTS, Installation, decide, install, submit_comments
from tests.processes import Server, wait_until
from tests.proxies import start_upstream_nginx
from tests.servers import find_workers, start_private_redis, start_service
from tests.streams import Client, streaming
from tests.waiting import until

pytestmark = pytest.mark.more

STREAM = f"{COMMENTS}/stream"
# Of ten numbered comments, the one under this article is the first.
ARTICLE = {"article": "/post-0"}


@pytest.fixture
def redis() -> Iterator[Server]:
    with start_private_redis() as server:
        yield server


@asynccontextmanager
async def readers_of(blog: Installation, count: int, *, ip: str = "127.0.0.1") -> AsyncIterator[list[Client]]:
    """Give so many who follow the article, spread over the processes."""
    async with AsyncExitStack() as stack:
        clients = await stack.enter_async_context(blog.clients(count, ip=ip))
        yield [await stack.enter_async_context(streaming(one, STREAM, **ARTICLE)) for one in clients]


async def until_seen(readers: list[Client], *events: tuple[str, str]) -> None:
    async def is_seen() -> bool:
        return all(reader.seen == list(events) for reader in readers)

    await until(is_seen)


async def until_begun(readers: list[Client]) -> None:
    async def have_begun() -> bool:
        return all(reader.last_id for reader in readers)

    await until(have_begun)


async def until_ended(readers: list[Client]) -> None:
    async def have_ended() -> bool:
        return all(reader.has_ended for reader in readers)

    await until(have_ended)


async def count(client: httpx.AsyncClient, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", (await client.get("/metrics")).text, re.M)
    return float(found[1]) if found else 0.0


async def expect_both_decisions(blog: Installation, readers: list[Client]) -> None:
    await until_begun(readers)
    [comment] = await submit_comments(blog, [0])
    async with blog.clients(1, "bob") as [bob]:
        await decide(bob, "approve", 1, [comment])
        await until_seen(readers, ("approved", comment))
        await decide(bob, "reject", 2, [comment])
        await until_seen(readers, ("approved", comment), ("removed", comment))


async def test_what_one_process_decides_the_streams_of_all_tell(
    tmp_path: Path, database_url: str, redis: Server
) -> None:
    async with (
        install(tmp_path, database_url, redis_url=redis.url, processes=3) as blog,
        readers_of(blog, 6) as readers,
    ):
        await expect_both_decisions(blog, readers)


async def test_so_they_do_while_redis_is_gone(tmp_path: Path, database_url: str, redis: Server) -> None:
    async with (
        install(tmp_path, database_url, redis_url=redis.url, processes=2) as blog,
        readers_of(blog, 2) as before,
    ):
        await until_begun(before)
        redis.stop()
        async with readers_of(blog, 2) as after:
            await expect_both_decisions(blog, [*before, *after])


async def test_so_they_do_without_redis(tmp_path: Path, database_url: str) -> None:
    async with (
        install(tmp_path, database_url, processes=2) as blog,
        readers_of(blog, 4) as readers,
    ):
        await expect_both_decisions(blog, readers)


async def test_ten_streams_of_a_network_are_counted_over_two_processes(
    tmp_path: Path, postgres_url: str, redis: Server
) -> None:
    async with install(tmp_path, postgres_url, redis_url=redis.url, processes=2) as blog:
        async with readers_of(blog, 10) as readers, blog.clients(2) as others:
            await until_begun(readers)
            for client in others:
                answer = await client.get(STREAM, params=ARTICLE)
                assert answer.status_code == 429
                assert answer.headers["ratelimit"].startswith('"streams";r=0')
            async with readers_of(blog, 2, ip="127.0.0.2") as elsewhere:
                await until_begun(elsewhere)
        async with blog.clients(2) as others:

            async def is_free() -> bool:
                async with streaming(others[0], STREAM, **ARTICLE) as reader:
                    return reader.status == 200

            await until(is_free)


@pytest.mark.parametrize("seconds", ["0", "600"])
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
async def test_open_streams_do_not_keep_a_process_from_ending(
    tmp_path: Path, seconds: str, stop: signal.Signals
) -> None:
    """Far sooner than after the ten seconds that a request may take, or the draining."""
    database = f"sqlite:///{tmp_path}/greenroom.sqlite3"
    environment = {"GREENROOM_DRAIN_SECONDS": seconds}
    async with (
        install(tmp_path, database, environment=environment) as blog,
        readers_of(blog, 5) as readers,
    ):
        await until_begun(readers)
        [server] = blog.servers
        os.kill(server.pid, stop)
        await until_ended(readers)
        if (seconds, stop) == ("600", signal.SIGTERM):
            # Still draining: the streams ended all the same, and a second one ends it.
            assert server.is_running
            os.kill(server.pid, stop)
        await asyncio.to_thread(wait_until, lambda: not server.is_running, "the end")
        assert "graceful shutdown exceeded" not in blog.logs()
        assert "Exception" not in blog.logs()


async def test_a_reader_who_does_not_read_keeps_no_process_from_ending(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/greenroom.sqlite3"
    async with install(tmp_path, database, limits=["max_text_chars=60000"]) as blog:
        async with blog.clients(1) as [dave], blog.clients(1, "bob") as [bob]:
            comments = [await submit_long(dave, number) for number in range(BATCH)]
            await decide(bob, "approve", 1, comments)
            host, _, port = blog.servers[0].url.removeprefix("http://").partition(":")
            with socket.create_connection((host, int(port))) as deaf:
                # More than the kernel takes for it.
                path = f"{STREAM}?article=/post-0&after=0"
                deaf.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                assert deaf.recv(12) == b"HTTP/1.1 200"
                assert await count(bob, "greenroom_streams") == 1
                os.kill(blog.servers[0].pid, signal.SIGTERM)
                await asyncio.to_thread(wait_until, lambda: not blog.servers[0].is_running, "the end")
        assert "graceful shutdown exceeded" not in blog.logs()


async def submit_long(client: httpx.AsyncClient, number: int) -> str:
    fields = {**ARTICLE, "name": "Dave", "email": "dave@mail.example"}
    answer = await client.post(COMMENTS, json={**fields, "text": f"{number} " + "& " * 29_000})
    assert answer.status_code == 202, answer.text
    comment: str = answer.json()["id"]
    return comment


async def test_open_streams_do_not_keep_workers_from_ending(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    async with install(tmp_path, postgres_url, redis_url=redis_url, processes=0) as blog:
        with start_service(tmp_path, blog.environment, "--workers", "2") as server:
            blog.servers.append(server)
            async with readers_of(blog, 8) as readers:
                await until_begun(readers)
                assert len(find_workers(server)) == 2
                os.kill(server.pid, signal.SIGTERM)
                await until_ended(readers)
                await asyncio.to_thread(wait_until, lambda: not server.is_running, "the end")


async def test_who_comes_back_after_a_process_was_killed_has_missed_nothing(
    tmp_path: Path, postgres_url: str
) -> None:
    async with install(tmp_path, postgres_url, processes=2) as blog:
        comments = await submit_comments(blog, [0, 10, 20, 30])
        async with blog.clients(2) as clients, blog.clients(2, "bob") as bobs:
            async with streaming(clients[0], STREAM, **ARTICLE) as reader:
                await until_begun([reader])
                await decide(bobs[1], "approve", 1, comments[:1])
                await until_seen([reader], ("approved", comments[0]))
                blog.servers[0].kill()
                await until_ended([reader])
            await decide(bobs[1], "approve", 1, comments[1:])
            await decide(bobs[1], "spam", 2, comments[:2])
            async with streaming(clients[1], STREAM, last=reader.last_id, **ARTICLE) as again:
                expected = {("approved", one) for one in comments[2:]}
                expected |= {("removed", one) for one in comments[:2]}

                async def has_all() -> bool:
                    return set(again.seen) == expected

                await until(has_all)


async def test_an_approval_costs_one_read_for_two_hundred_readers(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/greenroom.sqlite3"
    async with install(tmp_path, database) as blog, AsyncExitStack() as stack:
        [comment] = await submit_comments(blog, [0])
        readers: list[Client] = []
        for network in range(20):
            ten = readers_of(blog, 10, ip=f"127.0.1.{network + 1}")
            readers += await stack.enter_async_context(ten)
        await until_begun(readers)
        [bob] = await stack.enter_async_context(blog.clients(1, "bob"))
        assert await count(bob, "greenroom_streams") == 200
        before = await count(bob, "greenroom_page_reads_total")
        await decide(bob, "approve", 1, [comment])
        await until_seen(readers, ("approved", comment))
        assert await count(bob, "greenroom_page_reads_total") == before + 1


async def test_nginx_passes_a_stream_on_as_it_comes(tmp_path: Path, postgres_url: str) -> None:
    environment = {"GREENROOM_TRUSTED_PROXIES": "127.0.0.1"}
    async with install(tmp_path, postgres_url, environment=environment) as blog:
        with start_upstream_nginx(blog.servers) as nginx:
            async with (
                httpx.AsyncClient(base_url=nginx.url, trust_env=False) as client,
                streaming(client, STREAM, **ARTICLE) as reader,
            ):
                await expect_both_decisions(blog, [reader])
                assert reader.headers["content-type"] == "text/event-stream"

            async def is_gone() -> bool:
                async with blog.clients(1) as [one]:
                    return await count(one, "greenroom_streams") == 0

            await until(is_gone)
