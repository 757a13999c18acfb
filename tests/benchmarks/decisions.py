"""Measure decisions on PostgreSQL by eight clients at once over three processes of the service."""

import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from tests.benchmarks.harness import Pace
from tests.installation import Installation, decide, in_parallel, install, submit_comments
from tests.servers import fresh_database, start_private_postgres, start_private_redis

CLIENTS = 8
COMMENTS = 400
# Of comments that are decided about together: one request, and the size that a desk would send.
SIZES = (1, 20)
ROUNDS = 3


def main(_pace: Pace) -> None:
    with (
        TemporaryDirectory() as folder,
        start_private_postgres(is_durable=True) as postgres,
        start_private_redis() as redis,
        fresh_database(postgres.url) as database_url,
    ):
        asyncio.run(measure(Path(folder), database_url, redis.url))


async def measure(folder: Path, database_url: str, redis_url: str) -> None:
    async with install(folder, database_url, redis_url=redis_url, processes=3) as blog:
        started = time.perf_counter()
        comments = await submit_comments(blog, range(COMMENTS))
        print(f"{COMMENTS / (time.perf_counter() - started):7.0f} submissions a second")
        version = 1
        for size in SIZES:
            started = time.perf_counter()
            for _ in range(ROUNDS):
                await decide_all(blog, comments, version, size)
                version += 1
            rate = ROUNDS * COMMENTS / (time.perf_counter() - started)
            print(f"{rate:7.0f} decisions a second in batches of {size}")
        print(blog.verify_log())


async def decide_all(blog: Installation, comments: list[str], version: int, size: int) -> None:
    """Decide about every comment once; each round takes back what the one before did."""
    action = "approve" if version % 2 else "requeue"

    async def send(moderator: httpx.AsyncClient, batch: list[str]) -> None:
        for result in await decide(moderator, action, version, batch):
            assert result["outcome"] == "applied", result

    batches = [comments[start : start + size] for start in range(0, len(comments), size)]
    async with blog.clients(CLIENTS, "bob") as moderators:
        await in_parallel(moderators, batches, send)
