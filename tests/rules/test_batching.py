"""What comes at the same moment is done together, and each gets its own result."""

import asyncio
from collections.abc import Sequence

import pytest

from service.concurrency.batching import Batcher


class Oracle:
    """Answers with the double, once it is let; notes what it was asked together."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.may_answer = asyncio.Event()
        self.batcher = Batcher(self.double, 10)

    async def double(self, numbers: Sequence[int]) -> list[int]:
        self.calls.append(list(numbers))
        await self.may_answer.wait()
        if 0 in numbers:
            raise ZeroDivisionError
        return [2 * number for number in numbers]

    async def ask_during_a_call(self, *numbers: int) -> list[asyncio.Task[int]]:
        """Ask for 1, and for others while that is under way."""
        first = asyncio.create_task(self.batcher.do(1))
        while not self.calls:  # noqa: ASYNC110 - nothing tells of it but the call.
            await asyncio.sleep(0)
        rest = [asyncio.create_task(self.batcher.do(number)) for number in numbers]
        await asyncio.sleep(0)
        return [first, *rest]


async def test_what_comes_during_a_call_is_asked_together_in_the_next() -> None:
    oracle = Oracle()
    tasks = await oracle.ask_during_a_call(2, 3, 4)
    oracle.may_answer.set()
    assert await asyncio.gather(*tasks) == [2, 4, 6, 8]
    assert oracle.calls == [[1], [2, 3, 4]]


async def test_no_call_asks_for_more_than_it_may() -> None:
    oracle = Oracle()
    tasks = await oracle.ask_during_a_call(*range(2, 26))
    oracle.may_answer.set()
    assert await asyncio.gather(*tasks) == [2 * number for number in range(1, 26)]
    assert [len(call) for call in oracle.calls] == [1, 10, 10, 4]


async def test_a_call_that_fails_fails_for_those_in_it_alone() -> None:
    oracle = Oracle()
    oracle.may_answer.set()
    with pytest.raises(ZeroDivisionError):
        await oracle.batcher.do(0)
    assert await oracle.batcher.do(5) == 10


async def test_who_has_gone_is_not_asked_for() -> None:
    oracle = Oracle()
    _, gone, stays = await oracle.ask_during_a_call(2, 3)
    gone.cancel()
    await asyncio.wait([gone])
    oracle.may_answer.set()
    assert await stays == 6
    assert oracle.calls == [[1], [3]]
