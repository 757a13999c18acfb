"""Tasks beside what asked for them: kept up for as long as a block lasts, repeated, or let go."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, NoReturn

# After so long a task that goes on is cancelled once more.
AGAIN_SECONDS = 0.25


@asynccontextmanager
async def running_beside(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Have work done beside the block; at its end it is cancelled, and waited for."""
    # In no TaskGroup, which would end the block with them.
    tasks = {asyncio.create_task(work) for work in works}
    try:
        yield
    finally:
        while tasks:
            for task in tasks:
                task.cancel()
            # Before Python 3.12 `asyncio.wait_for`, which redis-py sends by, may swallow a cancellation.
            _, tasks = await asyncio.wait(tasks, timeout=AGAIN_SECONDS)


async def repeat(
    pause_seconds: float,
    work: Callable[[], Awaitable[None]],
    note: Callable[[Exception], None],
) -> NoReturn:
    """Do something again and again, after a pause each time; a failure is noted, and does not end it."""
    while True:
        await asyncio.sleep(pause_seconds)
        try:
            await work()
        except Exception as error:
            note(error)


def let_go(task: asyncio.Future[Any]) -> None:
    """Allow a task to fail with nobody left to be told; asyncio would complain of it in the log."""
    task.add_done_callback(_take_outcome)


def _take_outcome(task: asyncio.Future[Any]) -> None:
    if not task.cancelled():
        task.exception()
