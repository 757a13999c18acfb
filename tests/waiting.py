"""Waiting in a test for what a process does in its own time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg

# Far above what anything takes, so that only what never comes meets it.
DEADLINE_SECONDS = 90
_WAITING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return as soon as `condition` holds; raises TimeoutError if it never does."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        # There is no event for it, which would be there for a test alone.
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def until_tidied() -> None:
    """Return once the first round of tidying up is over, which would mend what a test leaves to be mended."""

    async def is_resting() -> bool:
        keeping: list[Any] = [task.get_coro() for task in asyncio.all_tasks()]
        # The name of what each waits for; nothing else tells how far it is.
        waits = [
            getattr(one.cr_await, "__name__", "")
            for one in keeping
            if getattr(one, "__name__", "") == "_keep_tidying"
        ]
        return all(name == "sleep" for name in waits)

    await until(is_resting)


async def find_waiting(admin: psycopg.AsyncConnection[tuple[int]]) -> int:
    """Give the process of PostgreSQL that waits for a lock in the database of `admin`."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            # Of its own accord the server shows one transaction the same picture again and again.
            await admin.execute("SELECT pg_stat_clear_snapshot()")
            if found := await (await admin.execute(_WAITING)).fetchone():
                return found[0]
            await asyncio.sleep(0.01)
