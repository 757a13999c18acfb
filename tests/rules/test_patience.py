"""How long is waited for what is silent."""

import asyncio
import time

import pytest

from service.concurrency.patience import Patience
from service.errors import Unavailable

SECONDS = 0.2


async def test_it_ends_with_what_is_silent() -> None:
    patience = Patience(SECONDS, "Nobody answered.")
    with pytest.raises(Unavailable, match=r"Nobody answered\."):
        async with patience:
            await asyncio.Event().wait()
    assert patience.is_over


async def test_a_process_that_did_not_run_takes_nobody_for_silent() -> None:
    patience = Patience(SECONDS)
    answer = asyncio.get_running_loop().create_future()
    async with patience:
        asyncio.get_running_loop().call_soon(answer.set_result, "There it is.")
        # Frozen, swapped out or busy: to the process it is all the same.
        time.sleep(2 * SECONDS)  # noqa: ASYNC251
        await asyncio.sleep(0)
        assert await answer == "There it is."
    assert not patience.is_over


async def test_without_a_bound_it_does_not_end() -> None:
    async with Patience(None):
        await asyncio.sleep(0)


async def test_who_is_cancelled_is_not_told_of_silence() -> None:
    async def wait() -> None:
        async with Patience(60):
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
