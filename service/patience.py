"""Waiting for so long and no longer: who waits for a part of the service that is silent is told so."""

import asyncio
from types import TracebackType

from service.errors import Unavailable

# What a request waits for the database; a person who waits for longer tries again or goes away.
PATIENCE_SECONDS = 5.0


class Patience:
    """A block that ends after some seconds, None being without end; raises Unavailable then.

    A class, since a generator would cost as much again as the bound itself, which every request has.
    """

    __slots__ = ("_bound", "_why", "is_over")

    def __init__(self, seconds: float | None, why: str | None = None) -> None:
        self._bound = asyncio.timeout(seconds)
        self._why = why
        self.is_over = False
        """Whether it came to an end."""

    async def __aenter__(self) -> None:
        await self._bound.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._bound.__aexit__(kind, error, traceback)
        except TimeoutError:
            self.is_over = True
            raise Unavailable(self._why) from None
