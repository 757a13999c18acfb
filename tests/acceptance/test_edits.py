"""Authors correct while moderators decide, in several processes: nobody publishes what he did not see."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.installation import (
    COMMENTS,
    SITE,
    Installation,
    decide,
    in_parallel,
    install,
    walk_pages,
)
from tests.waiting import until

pytestmark = pytest.mark.more

COMMENT_COUNT = 100
# Each calls from an address of its own, since a minute has sixty uses of receipts from one.
LANES = 4
PROCESSES = 3


@dataclass
class Own:
    """A comment as its author knows it, and what became of the last decision about it."""

    id: str
    number: int
    token: str
    outcome: str = ""


async def test_what_is_public_is_what_the_moderator_saw(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    async with install(tmp_path, postgres_url, redis_url=redis_url, processes=PROCESSES) as blog:
        comments = await submit(blog)
        await race(blog, comments, version=1, words="Unseen")
        published = [one for one in comments if one.outcome == "applied"]
        expected = {one.id: f"<p>Seen {one.number}.</p>" for one in published}
        await expect_public(blog, expected)
        # Beside each of these the text that came too late waits, and now a further one comes.
        await race(blog, published, version=3, words="Later")
        for one in published:
            if one.outcome == "applied":
                expected[one.id] = f"<p>Unseen {one.number}.</p>"
        await expect_public(blog, expected)
        assert f"{SITE}: whole, {SITE}:" in blog.verify_log()


async def submit(blog: Installation) -> list[Own]:
    taken: list[Own] = []

    async def send(client: httpx.AsyncClient, number: int) -> None:
        fields = {"article": "/post", "name": "Dave", "email": "dave@mail.example"}
        answer = await client.post(COMMENTS, json={**fields, "text": f"Seen {number}."})
        assert answer.status_code == 202, answer.text
        taken.append(Own(answer.json()["id"], number, answer.json()["receipt"]["token"]))

    async with blog.clients(LANES) as clients:
        await in_parallel(clients, range(COMMENT_COUNT), send)
    return taken


async def race(blog: Installation, comments: Sequence[Own], *, version: int, words: str) -> None:
    """Correct every comment at the moment at which a moderator approves it, in another process."""

    async def meet(lane: int) -> None:
        address = f"127.0.0.{lane + 1}"
        async with (
            blog.clients(PROCESSES, ip=address) as authors,
            blog.clients(PROCESSES, "bob") as moderators,
        ):
            for turn, one in enumerate(comments[lane::LANES]):
                corrected, [result] = await asyncio.gather(
                    correct(authors[turn % PROCESSES], one, f"{words} {one.number}."),
                    decide(moderators[(turn + 1) % PROCESSES], "approve", version, [one.id]),
                )
                assert corrected.status_code == 200, corrected.text
                one.outcome = result["outcome"]
                assert one.outcome in {"applied", "conflict"}

    async with asyncio.TaskGroup() as group:
        for lane in range(LANES):
            group.create_task(meet(lane))


async def correct(author: httpx.AsyncClient, one: Own, text: str) -> httpx.Response:
    return await author.patch(f"/v1/receipts/{one.token}", json={"text": text})


async def expect_public(blog: Installation, expected: dict[str, str]) -> None:
    """Wait until a process that took other decisions shows just these texts: it hears of them by Redis."""

    async def is_shown() -> bool:
        return await read_public(blog) == expected

    await until(is_shown)


async def read_public(blog: Installation) -> dict[str, str]:
    async with blog.clients(1) as [reader]:
        shown = await walk_pages(reader, COMMENTS, article="/post", limit="200")
    return {one["id"]: one["html"] for one in shown}
