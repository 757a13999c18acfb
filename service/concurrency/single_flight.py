"""Single flight: of those who ask for the same thing at once, one asks, and the answer is for all of them."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from service.concurrency.tasks import let_go

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class SingleFlight(Generic[K, V]):
    """What is being asked for at present, by keys."""

    def __init__(self) -> None:
        self._under_way: dict[K, asyncio.Task[V]] = {}

    async def do(self, key: K, ask: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """Ask, or wait for what is asked for under this key already; raises what that raises."""
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(ask())
            let_go(task)
            task.add_done_callback(lambda _: self._under_way.pop(key))
        # Whoever goes away meanwhile does not take the answer from the others.
        return await asyncio.shield(task)

    async def stop(self) -> None:
        """Break off what is being asked for."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
