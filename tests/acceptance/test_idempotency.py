"""One submission stays one comment, however often it is sent, through whichever process."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.installation import COMMENTS, Installation, install, walk_pages

TIMES = 50
# The client is not always quick enough to kill before the last copy is answered.
ATTEMPTS = 10
COMMENT = {
    "article": "/post",
    "name": "Dave",
    "email": "dave@mail.example",
    "text": "I sent this once.",
}
KEY = {"Idempotency-Key": "one of Dave's"}


ON_EITHER = pytest.mark.parametrize(
    "database_url", ["postgresql", pytest.param("sqlite", marks=pytest.mark.more)], indirect=True
)


@pytest.fixture
async def blog(tmp_path: Path, database_url: str, redis_url: str) -> AsyncIterator[Installation]:
    """Run two processes over one database of either kind."""
    async with install(tmp_path, database_url, redis_url=redis_url, processes=2) as blog:
        yield blog


@ON_EITHER
async def test_copies_at_the_same_moment_are_one_comment(blog: Installation) -> None:
    async with blog.clients(TIMES) as clients:
        with_key = await asyncio.gather(*send_copies(clients, COMMENT, KEY))
        again = {**COMMENT, "text": "I sent this in fifty windows."}
        without_key = await asyncio.gather(*send_copies(clients, again))
    assert_same_answer(with_key)
    replayed = [answer for answer in with_key if "idempotency-replayed" in answer.headers]
    assert len(replayed) == TIMES - 1
    assert sorted(answer.status_code for answer in without_key) == [202] + [409] * (TIMES - 1)
    assert await read_texts(blog) == [COMMENT["text"], again["text"]]


@ON_EITHER
async def test_a_process_killed_in_between_makes_no_second_comment(blog: Installation) -> None:
    first, _ = blog.servers
    for attempt in range(ATTEMPTS):
        comment = {**COMMENT, "text": f"I sent this once, at attempt {attempt}."}
        key = {"Idempotency-Key": f"attempt {attempt}"}
        before, cut_off = await send_copies_until_killed(blog, comment, key)
        first.start()
        async with blog.clients(TIMES) as clients:
            after = await asyncio.gather(*send_copies(clients, comment, key))
        assert_same_answer([*before, *after])
        assert (await read_texts(blog)).count(comment["text"]) == 1
        if before and cut_off:
            return
    pytest.fail("the process was never killed in between")


async def send_copies_until_killed(
    blog: Installation, comment: dict[str, str], key: dict[str, str]
) -> tuple[list[httpx.Response], list[httpx.TransportError]]:
    """Kill a process as soon as one copy is answered; gives the answers, and what got none."""
    async with blog.clients(TIMES) as clients:
        copies = [asyncio.ensure_future(copy) for copy in send_copies(clients, comment, key)]
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
        blog.servers[0].kill()
        ended = await asyncio.gather(*copies, return_exceptions=True)
    answers = [one for one in ended if isinstance(one, httpx.Response)]
    cut_off = [one for one in ended if isinstance(one, httpx.TransportError)]
    assert len(answers) + len(cut_off) == TIMES
    return answers, cut_off


async def test_limits_let_every_copy_with_one_key_pass(tmp_path: Path) -> None:
    database_url = f"sqlite:///{tmp_path}/greenroom.sqlite3"
    limits = ("limit.ip=10/minute", "limit.address=5/minute")
    async with install(tmp_path, database_url, limits=limits) as blog, blog.clients(TIMES) as dave:
        assert_same_answer(await asyncio.gather(*send_copies(dave, COMMENT, KEY)))
        assert await read_texts(blog) == [COMMENT["text"]]


def send_copies(
    clients: list[httpx.AsyncClient], comment: dict[str, str], headers: dict[str, str] | None = None
) -> list[Coroutine[Any, Any, httpx.Response]]:
    return [client.post(COMMENTS, json=comment, headers=headers) for client in clients]


def assert_same_answer(answers: list[httpx.Response]) -> None:
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1


async def read_texts(blog: Installation) -> list[str]:
    """Give the texts of all comments that are held, the oldest first."""
    async with blog.clients(1, "bob") as [bob]:
        return [one["text"] for one in await walk_pages(bob, "/v1/moderation/comments")]
