"""What a process knows for a second: answers of the database that many requests ask for.

So a change by another process is seen within a second, with no message between processes.
"""

import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from service.concurrency.single_flight import SingleFlight

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# What the command line changes takes effect within two seconds, without Redis too.
REMEMBER_SECONDS = 1.0
# A flood of made-up names must not fill the memory: no name is longer than an article's key, 512 characters,
# so that all take less than 40 MiB.
MAX_REMEMBERED = 10_000


class BriefMemory(Generic[K, V]):
    """Remembers what `load` gave, for a second; of those who ask at once, one lets it load."""

    def __init__(
        self,
        max_remembered: int = MAX_REMEMBERED,
        now_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_remembered = max_remembered
        self._now_seconds = now_seconds
        self.forget()

    def __len__(self) -> int:
        return len(self._known)

    async def get(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        """Give what `load` gives, or what it gave at most a second ago."""
        if known := self._recall(key):
            return known[1]
        return await self._flights.do(key, lambda: self._load(key, load))

    def forget(self) -> None:
        """Load everything anew at the next look-up, after a change made by this process."""
        # New ones, so that what is being loaded now is neither remembered after all nor waited for.
        self._known: dict[K, tuple[float, V]] = {}
        self._flights = SingleFlight[K, V]()

    def _recall(self, key: K) -> tuple[float, V] | None:
        known = self._known.get(key)
        is_fresh = known is not None and self._now_seconds() - known[0] < REMEMBER_SECONDS
        return known if is_fresh else None

    async def _load(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        # The age counts from before the look, since what it sees may change while it is on its way.
        memory, started = self._known, self._now_seconds()
        value = await load()
        if len(memory) >= self._max_remembered:
            memory.clear()
        memory[key] = started, value
        return value
