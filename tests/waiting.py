"""Waiting in a test for what a process does in its own time."""

import asyncio
from collections.abc import Awaitable, Callable

# Far above what anything takes, so that only what never comes meets it.
DEADLINE_SECONDS = 20


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return as soon as `condition` holds; raises TimeoutError if it never does."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        # There is no event for it, which would be there for a test alone.
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
