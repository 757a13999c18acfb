"""The circuit breaker before Redis: while that is missing or slow, nobody waits for it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from service.concurrency.patience import Patience
from service.concurrency.single_flight import SingleFlight
from service.concurrency.tasks import repeat, running_beside
from service.redis.errors import describe_failure
from service.telemetry.metrics import Metrics
from service.telemetry.outages import Outage

T = TypeVar("T")

# Between probes: short enough that limits are common again soon, and long enough to be no burden.
PAUSE_SECONDS = 1.0


class Breaker:
    """Asks Redis within patience; from the first failure on nothing is asked until a probe gets its answer.

    One task probes Redis all the time, so that its going and coming show without a request. A burst of
    requests does not take Redis for dead, since a busy process is as patient as it is slow.
    """

    def __init__(
        self, probe: Callable[[], Awaitable[object]], metrics: Metrics, patience_seconds: float
    ) -> None:
        self._probe = probe
        self._metrics = metrics
        self._patience_seconds = patience_seconds
        self._outage = Outage("Redis for limits", "limits and streams count per process")
        self._checks = SingleFlight[None, None]()
        # Until the first probe nobody knows.
        self.is_away = True

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Probe Redis for as long as the block lasts, the first time before it."""
        await self._look()
        async with running_beside(repeat(PAUSE_SECONDS, self._look, self._give_up)):
            yield

    async def check(self) -> bool:
        """Tell whether Redis is away, having asked it now; who asks at the same moment shares that.

        That it is back is for the task to find out, in its own time.
        """
        if not self.is_away:
            await self._checks.do(None, self._look)
        return self.is_away

    async def ask(self, call: Callable[[], Awaitable[T]]) -> T | None:
        """Give what Redis answers to a call, or None: then the process has to help itself."""
        return None if self.is_away else await self._try(call, self._patience_seconds)

    async def _try(self, call: Callable[[], Awaitable[T]], seconds: float | None) -> T | None:
        patience = Patience(seconds)
        try:
            async with patience:
                return await call()
        # Whatever it is that fails there, it may end neither a request nor the probing.
        except Exception as error:
            self._give_up(TimeoutError() if patience.is_over else error)
            return None

    async def _look(self) -> None:
        # When it was away, to its own end first: a client that is cut short does not learn that the node
        # which it asked is gone, and in a cluster would ask no other.
        if self.is_away and await self._try(self._probe, None) is None:
            return
        if await self._try(self._probe, self._patience_seconds) is not None:
            self.is_away = False
            self._metrics.degraded.set(0)
            self._outage.over()

    def _give_up(self, error: Exception) -> None:
        self.is_away = True
        self._metrics.degraded.set(1)
        self._outage.note(describe_failure(error))
