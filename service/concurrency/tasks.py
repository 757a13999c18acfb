"""Tasks that may outlive everybody who waits for them."""

import asyncio
from typing import Any


def let_go(task: asyncio.Future[Any]) -> None:
    """Allow a task to fail with nobody left to be told; asyncio would complain of it in the log."""
    task.add_done_callback(_take_outcome)


def _take_outcome(task: asyncio.Future[Any]) -> None:
    if not task.cancelled():
        task.exception()
