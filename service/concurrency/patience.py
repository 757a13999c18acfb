"""Waiting for so long and no longer: who waits for a part of the service that is silent is told so."""

import asyncio
from types import TracebackType

from service.errors import Unavailable

# What a request waits for the database; a person who waits for longer tries again or goes away.
PATIENCE_SECONDS = 5.0
# So many ticks make up a wait.
TICKS = 10


class Patience:
    """A block that ends after some seconds, None being without end; raises Unavailable then.

    It waits in ticks, each of which begins after the one before: a process that did not run for a while,
    being frozen or busy, takes that for one tick, and still hears what was answered meanwhile.

    A class, since a generator would cost as much again as the bound itself, which every request has.
    """

    __slots__ = ("_bound", "_left", "_loop", "_tick", "_tick_seconds", "_why", "is_over")

    def __init__(self, seconds: float | None, why: str | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._bound = asyncio.timeout(None)
        self._tick: asyncio.TimerHandle | None = None
        self._tick_seconds = None if seconds is None else seconds / TICKS
        self._left = TICKS
        self._why = why
        self.is_over = False
        """Whether it came to an end."""

    async def __aenter__(self) -> None:
        await self._bound.__aenter__()
        self._wait()

    def _wait(self) -> None:
        if self._tick_seconds is not None:
            self._tick = self._loop.call_later(self._tick_seconds, self._count)

    def _count(self) -> None:
        self._left -= 1
        if self._left:
            self._wait()
        else:
            self._bound.reschedule(self._loop.time())

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._tick:
            self._tick.cancel()
        try:
            await self._bound.__aexit__(kind, error, traceback)
        except TimeoutError:
            self.is_over = True
            raise Unavailable(self._why) from None
