"""What was answered with 2xx is there after a crash in the middle of everything."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import count, cycle
from pathlib import Path
from typing import Any

import httpx

from tests.installation import COMMENTS, SITE, Installation, install, walk_pages

CLIENTS = 12
CRASHES = 2
PROMISES_BEFORE_A_CRASH = 40
STATUS_AFTER = {"approve": "approved", "reject": "rejected", "spam": "spam"}


class Promises:
    """What the service has said that it did: each comment's version and status by its id."""

    def __init__(self) -> None:
        self.comments: dict[str, tuple[int, str]] = {}
        self._told = asyncio.Condition()

    async def note(self, comment_id: str, version: int, status: str) -> None:
        self.comments[comment_id] = version, status
        async with self._told:
            self._told.notify_all()

    async def reach(self, total: int) -> None:
        """Wait until so many comments have been promised."""
        async with self._told:
            await self._told.wait_for(lambda: len(self.comments) >= total)


async def test_nothing_that_was_answered_is_lost(tmp_path: Path, database_url: str) -> None:
    promises, numbers = Promises(), count()
    async with install(tmp_path, database_url) as blog:
        for crash in range(1, CRASHES + 1):
            await work_until_killed(blog, promises, numbers, crash * PROMISES_BEFORE_A_CRASH)
            blog.servers[0].start()
            stored = await read_all(blog)
            assert_kept(promises, stored)
            await assert_counted(blog, stored)
        blog.verify_log()


async def work_until_killed(
    blog: Installation, promises: Promises, numbers: Iterator[int], total: int
) -> None:
    async with blog.clients(CLIENTS, "bob") as clients:
        work = [asyncio.create_task(submit_and_decide(one, promises, numbers)) for one in clients]
        await promises.reach(total)
        blog.servers[0].kill()
        await asyncio.gather(*work)


async def submit_and_decide(bob: httpx.AsyncClient, promises: Promises, numbers: Iterator[int]) -> None:
    """Write one comment after the other and decide about each, until the connection breaks."""
    with suppress(httpx.TransportError):
        for number, action in zip(numbers, cycle(STATUS_AFTER), strict=False):
            answer = await bob.post(COMMENTS, json=make_comment(number))
            assert answer.status_code == 202, answer.text
            comment_id = answer.json()["id"]
            await promises.note(comment_id, 1, "pending")
            decision = {"comment": comment_id, "version": 1, "action": action}
            answer = await bob.post("/v1/moderation/decisions", json={"decisions": [decision]})
            assert answer.status_code == 200, answer.text
            await promises.note(comment_id, 2, STATUS_AFTER[action])


def make_comment(number: int) -> dict[str, str]:
    return {
        "article": f"/post-{number % 2}",
        "name": "Dave",
        "email": "dave@mail.example",
        "text": f"Comment {number}.",
    }


async def read_all(blog: Installation) -> list[dict[str, Any]]:
    """Read every comment there is, whatever its status."""
    async with blog.clients(1, "bob") as [bob]:
        path = "/v1/moderation/comments"
        return [
            comment
            for status in ("pending", *STATUS_AFTER.values())
            for comment in await walk_pages(bob, path, status=status, limit="200")
        ]


def assert_kept(promises: Promises, stored: list[dict[str, Any]]) -> None:
    present = {one["id"]: (one["version"], one["status"]) for one in stored}
    for comment_id, (version, status) in promises.comments.items():
        # A decision whose answer was cut off may have been stored all the same.
        assert present[comment_id] == (version, status) or (version == 1 and present[comment_id][0] == 2)


async def assert_counted(blog: Installation, stored: list[dict[str, Any]]) -> None:
    """Hold every counter to what is really there."""
    real = Counter(one["status"] for one in stored)
    async with blog.clients(1, "bob") as [bob]:
        stats = (await bob.get("/v1/moderation/stats")).json()
        log = await walk_pages(bob, "/v1/moderation/log", site=SITE, limit="200")
        articles = {"article": ["/post-0", "/post-1"]}
        counts = (await bob.get(f"/v1/sites/{SITE}/counts", params=articles)).json()["counts"]
    assert +Counter(stats["statuses"]) == real
    events = sum((Counter(day["events"]) for day in stats["days"]), Counter())
    assert events.pop("submitted") == len(stored)
    assert {STATUS_AFTER[action]: total for action, total in events.items()} == {
        status: total for status, total in real.items() if status != "pending"
    }
    for article, visible in counts.items():
        assert visible == sum(one["article"] == article and one["status"] == "approved" for one in stored)
    # Dave wrote them all.
    assert all(one["author"] == {name: real[name] for name in one["author"]} for one in stored)
    assert sum(line["comment"] is not None for line in log) == sum(events.values())
