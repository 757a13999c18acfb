"""A flood from one place on the network passes no further than its limit, however it is spread."""

import asyncio
from collections import Counter
from pathlib import Path

import httpx

from tests.installation import COMMENTS, Installation, install

FLOOD = 200
# Slow enough that no second try becomes due while the flood lasts.
LIMIT = ("limit.ip=10/day",)
TEN_PASS = {202: 10, 429: FLOOD - 10}


async def test_ten_of_two_hundred_pass_one_process(tmp_path: Path) -> None:
    database_url = f"sqlite:///{tmp_path}/greenroom.sqlite3"
    async with install(tmp_path, database_url, limits=LIMIT) as blog:
        await expect_ten_to_pass(blog)


async def test_ten_of_two_hundred_pass_three_processes_that_share_a_redis(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    async with install(tmp_path, postgres_url, redis_url=redis_url, processes=3, limits=LIMIT) as blog:
        await expect_ten_to_pass(blog)
        assert "Redis fails" not in blog.logs()


async def expect_ten_to_pass(blog: Installation) -> None:
    """Send two floods: one as it is, and one from elsewhere that lies about where it comes from."""
    assert await flood(blog, ip="127.0.0.1", forged=False) == TEN_PASS
    assert await flood(blog, ip="127.0.0.2", forged=True) == TEN_PASS


async def flood(blog: Installation, *, ip: str, forged: bool) -> Counter[int]:
    """Send submissions from one IP at the same moment, each with another e-mail address."""
    async with blog.clients(FLOOD, ip=ip) as clients:
        # A connection each, before the first submission, so that they really come together.
        await asyncio.gather(*(client.get("/health/live") for client in clients))
        answers = await asyncio.gather(
            *(send(client, f"{ip} {number}", number, forged) for number, client in enumerate(clients))
        )
    return Counter(answer.status_code for answer in answers)


async def send(client: httpx.AsyncClient, name: str, number: int, forged: bool) -> httpx.Response:
    fields = {"article": "/post", "name": name, "text": "I was here."}
    headers = {"X-Forwarded-For": f"203.0.113.{number}"} if forged else {}
    email = f"reader-{number}@mail.example"
    return await client.post(COMMENTS, json={**fields, "email": email}, headers=headers)
