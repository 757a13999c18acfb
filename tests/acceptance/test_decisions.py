"""Decisions by many at once leave one line behind, without a fork, a gap or a repeat."""

import asyncio
from collections import Counter
from pathlib import Path
from random import Random

import httpx

from tests.installation import (
    SITE,
    Installation,
    decide,
    in_parallel,
    install,
    submit_comments,
    walk_pages,
)

MODERATORS = 8
BATCH = 20


async def test_the_log_of_eight_who_decide_at_once_is_one_chain(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    async with install(tmp_path, postgres_url, redis_url=redis_url, processes=3) as blog:
        comments = await submit_comments(blog, range(120))
        await expect_one_winner_each(blog, "approve", 1, [[one] for one in comments] * 2)
        # Batches over all articles in an order of their own, while more comments come in under the same
        # articles: everybody waits for everybody, and nobody may do so in a circle.
        pick = Random(0)  # noqa: S311 - an order, not a secret; the same in each run.
        shuffled = [pick.sample(comments, BATCH) for _ in range(3 * MODERATORS)]
        async with asyncio.TaskGroup() as group:
            group.create_task(submit_comments(blog, range(120, 360)))
            group.create_task(expect_one_winner_each(blog, "requeue", 2, shuffled))
        await expect_one_chain(blog)


async def expect_one_winner_each(
    blog: Installation, action: str, version: int, batches: list[list[str]]
) -> None:
    """Send batches that overlap; of all who want a comment's one version, one gets it."""
    outcomes: Counter[tuple[str, str]] = Counter()

    async def send(moderator: httpx.AsyncClient, batch: list[str]) -> None:
        for result in await decide(moderator, action, version, batch):
            outcomes[result["comment"], result["outcome"]] += 1

    async with blog.clients(MODERATORS, "bob") as moderators:
        await in_parallel(moderators, batches, send)
    wanted = Counter(comment for batch in batches for comment in batch)
    assert outcomes == {(comment, "applied"): 1 for comment in wanted} | {
        (comment, "conflict"): times - 1 for comment, times in wanted.items() if times > 1
    }


async def expect_one_chain(blog: Installation) -> None:
    async with blog.clients(1, "bob") as [bob]:
        log = await walk_pages(bob, "/v1/moderation/log", site=SITE, limit="200")
    assert sorted(line["seq"] for line in log) == list(range(1, len(log) + 1))
    changes = Counter((line["comment"], line["version"]) for line in log if line["comment"])
    assert set(changes.values()) == {1}
    assert f"{SITE}: whole, {SITE}:{len(log)}:" in blog.verify_log()
