"""Many who read an article while it changes: none is refused, none sees what was before, nothing grows."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from itertools import cycle
from typing import Any

from tests.cast import House
from tests.streams import following
from tests.waiting import until

READERS = 32
ARTICLE = "article=/post"
LIST, COUNTS = "/v1/sites/blog/comments", "/v1/sites/blog/counts"
DECISIONS = "/v1/moderation/decisions"
# What tells of the article; of pages there is one for each size, so that some are always being read.
KINDS = [
    f"{LIST}?{ARTICLE}&limit=",
    f"{LIST}?{ARTICLE}&order=newest&limit=",
    f"{LIST}.html?{ARTICLE}&limit=",
    f"{LIST}.html?{ARTICLE}&view=page&lang=de&limit=",
    f"{LIST}.atom?{ARTICLE}",
    f"{LIST}.atom",
    f"{COUNTS}?{ARTICLE}",
]
UNCHANGED = f"{LIST}?article=/other"
# How many comments each kind of answer tells of.
TOLD = re.compile(r'"count":(\d+)|"counts":\{"/post":(\d+)|"commentCount":(\d+)')


def count_told(path: str, text: str) -> int:
    if ".atom" in path:
        return text.count("<entry>")
    found = TOLD.search(text)
    assert found, text[:500]
    return int(next(group for group in found.groups() if group is not None))


def make_paths() -> Iterator[str]:
    for limit in cycle(range(200, 20, -1)):
        for kind in KINDS:
            yield f"{kind}{limit}" if kind.endswith("=") else kind
        yield UNCHANGED


class Readers:
    """Those who read, the tags that they were given, and what was wrong with what they got."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.shown = 0
        """How many comments are public for certain."""
        self.statuses: set[int] = set()
        self.late: list[str] = []
        self._tags: dict[str, str] = {}
        self._paths = make_paths()

    async def read(self) -> None:
        """Read the next kind of answer, with the tag of the last one."""
        path, shown = next(self._paths), self.shown
        headers = {"if-none-match": self._tags[path]} if path in self._tags else {}
        answer = await self.house.dave.get(path, headers=headers)
        self.statuses.add(answer.status_code)
        if answer.status_code == 200:
            self._tags[path] = answer.headers["etag"]
            if path != UNCHANGED and (told := count_told(path, answer.text)) < shown:
                self.late.append(f"{path} told of {told}, and there were {shown}")

    async def publish(self, comment: str) -> None:
        decision = {"comment": comment, "version": 1, "action": "approve"}
        answer = await self.house.bob.post(DECISIONS, json={"decisions": [decision]})
        assert [one["outcome"] for one in answer.json()["results"]] == ["applied"]
        self.shown += 1

    async def read_until(self, done: asyncio.Task[None]) -> None:
        while not done.done():
            await self.read()

    async def read_while_publishing(self, ids: Sequence[str]) -> None:
        for comment in ids:
            async with asyncio.TaskGroup() as group:
                publishing = group.create_task(self.publish(comment))
                for _ in range(READERS):
                    group.create_task(self.read_until(publishing))


async def measure(house: House) -> dict[str, int]:
    """Give the size of all that the process holds for readers, but for answers that are still valid."""
    process: Any = house.app.process
    parts = {"cache": process.cache, "store": process.store, "live": process.live}
    process.cache.invalidate(list(vars(parts["store"])["_by_change"]))
    sizes = {
        f"{name}.{held}": len(value)
        for name, part in parts.items()
        for held, value in vars(part).items()
        if isinstance(value, dict | set | list)
    }
    return {**sizes, "tasks": len(asyncio.all_tasks())}


async def test_readers_of_an_article_that_changes_all_get_what_is_true_and_nothing_grows(
    house: House,
) -> None:
    ids = [(await house.submit()).id for _ in range(5)]
    before, readers = await measure(house), Readers(house)
    async with AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(following(house, ip=f"203.0.113.{number}")) for number in range(3)
        ]
        await readers.read_while_publishing(ids)
        for stream in streams:
            await stream.until(*(("approved", one) for one in ids))
    assert readers.statuses == {200, 304}
    assert readers.late == []

    async def holds_no_more_than_before() -> bool:
        # What was there for a moment then, such as a task about to end, need not be there now.
        now = await measure(house)
        return all(now[part] <= size for part, size in before.items())

    await until(holds_no_more_than_before)
