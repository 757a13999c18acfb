"""What a process remembers is a second old at most, and is asked for once."""

import asyncio
from collections.abc import Awaitable, Callable

from service.concurrency.brief_memory import REMEMBER_SECONDS, BriefMemory


class World:
    """Something that changes, and how often it was looked at."""

    def __init__(self) -> None:
        self.now_seconds = 0.0
        self.value: str | None = "open"
        self.looks = 0
        self.memory = BriefMemory[str, str | None](3, lambda: self.now_seconds)

    async def look(self) -> str | None:
        self.looks += 1
        seen = self.value
        await asyncio.sleep(0)
        return seen

    def ask(self, key: str = "/post") -> Awaitable[str | None]:
        return self.memory.get(key, self.look)


async def test_an_answer_is_remembered_for_a_second() -> None:
    world = World()
    assert await world.ask() == "open"
    world.value = "closed"
    world.now_seconds = REMEMBER_SECONDS - 0.001
    assert await world.ask() == "open"
    world.now_seconds = REMEMBER_SECONDS
    assert await world.ask() == "closed"
    assert world.looks == 2


async def test_that_there_is_nothing_is_remembered_too() -> None:
    world = World()
    world.value = None
    assert [await world.ask(), await world.ask()] == [None, None]
    assert world.looks == 1


async def test_of_100_who_ask_at_once_one_looks() -> None:
    world = World()
    assert await asyncio.gather(*(world.ask() for _ in range(100))) == ["open"] * 100
    assert world.looks == 1


async def test_the_age_counts_from_before_the_look() -> None:
    world = World()
    look = asyncio.ensure_future(world.ask())
    await until(lambda: world.looks == 1)
    world.now_seconds = REMEMBER_SECONDS
    await look
    await world.ask()
    assert world.looks == 2


async def test_what_was_being_looked_at_when_all_was_forgotten_is_not_remembered() -> None:
    world = World()
    look = asyncio.ensure_future(world.ask())
    await until(lambda: world.looks == 1)
    world.value = "closed"
    world.memory.forget()
    assert await look == "open"
    assert await world.ask() == "closed"


async def test_a_flood_of_names_fills_no_memory() -> None:
    world = World()
    for number in range(20):
        await world.ask(f"/{number}")
        assert len(world.memory) <= 3


async def until(condition: Callable[[], bool]) -> None:
    """Let others run until a condition holds."""
    while not condition():  # noqa: ASYNC110 - nothing tells of it but the condition.
        await asyncio.sleep(0)
