"""Work beside a block ends with it, whatever it does meanwhile; of those who ask at once one asks for all."""

import asyncio
from contextlib import suppress

import pytest

from service.concurrency.single_flight import SingleFlight
from service.concurrency.tasks import repeat, running_beside


async def test_work_that_swallows_a_cancellation_ends_with_its_block_all_the_same() -> None:
    begun, swallowed = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        swallowed.set()
        await asyncio.Event().wait()

    async with running_beside(work()):
        await begun.wait()
    assert swallowed.is_set()


async def test_what_is_repeated_goes_on_after_a_failure() -> None:
    noted: list[Exception] = []
    went_on = asyncio.Event()

    async def work() -> None:
        if noted:
            went_on.set()
        raise ZeroDivisionError

    async with running_beside(repeat(0, work, noted.append)):
        await went_on.wait()
    assert isinstance(noted[0], ZeroDivisionError)


async def test_who_goes_away_does_not_take_the_answer_from_the_others() -> None:
    flights, may_answer, asked = SingleFlight[str, int](), asyncio.Event(), 0

    async def ask() -> int:
        nonlocal asked
        asked += 1
        await may_answer.wait()
        return asked

    first, second = (asyncio.create_task(flights.do("key", ask)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    may_answer.set()
    assert await second == 1
    assert await flights.do("key", ask) == 2


async def test_a_failure_is_shared_and_not_remembered() -> None:
    flights = SingleFlight[str, int]()

    async def fail() -> int:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    found = await asyncio.gather(*(flights.do("key", fail) for _ in range(2)), return_exceptions=True)
    assert found[0] is found[1]
    with pytest.raises(ZeroDivisionError):
        await flights.do("key", fail)


async def test_what_is_asked_for_can_be_broken_off() -> None:
    flights = SingleFlight[str, int]()

    async def ask_for_ever() -> int:
        await asyncio.Event().wait()
        return 0

    waiting = asyncio.create_task(flights.do("key", ask_for_ever))
    await asyncio.sleep(0)
    await flights.stop()
    with pytest.raises(asyncio.CancelledError):
        await waiting
