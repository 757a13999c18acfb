"""Loading answers from a copy of the database that follows it, such as a hot standby of PostgreSQL."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel.ext.asyncio.session import AsyncSession

from service.concurrency.tasks import let_go
from service.database import Pool
from service.errors import NotFound
from service.publication.cache.dependencies import Dependencies
from service.telemetry.metrics import Metrics
from service.telemetry.outages import Outage

# A copy that failed is left alone for so long: nobody should wait for it again and again.
REST_SECONDS = 5.0
PATIENCE_SECONDS = 1.0
Loaded = tuple[bytes, Dependencies]
Loader = Callable[[AsyncSession], Awaitable[Loaded]]


class Standby:
    """The copy. It may lag, so `is_valid` asks the database itself whether what it says still holds."""

    def __init__(
        self, pool: Pool, is_valid: Callable[[Dependencies], Awaitable[bool]], metrics: Metrics
    ) -> None:
        self._pool = pool
        self._is_valid = is_valid
        self._metrics = metrics
        self._rests_until = 0.0
        self._outage = Outage("The standby", "pages are read from the database itself")

    async def load(self, load: Loader) -> Loaded | None:
        """Give what the copy says if that is what the database would say, else None, within a second."""
        if time.monotonic() < self._rests_until:
            return None
        task = asyncio.create_task(self._try(load))
        await asyncio.wait([task], timeout=PATIENCE_SECONDS)
        if not task.done():
            # Not waited for: to end what a silent server was asked takes as long as to wait for it.
            let_go(task)
            task.cancel()
            self._rest(TimeoutError())
        loaded, outcome = task.result() if task.done() else (None, "failed")
        self._metrics.standby_reads.labels(outcome).inc()
        return loaded if outcome == "used" else None

    async def _try(self, load: Loader) -> tuple[Loaded | None, str]:
        try:
            async with self._pool.reading() as session:
                loaded = await load(session)
        except NotFound:
            # It may be too new to be there.
            return None, "behind"
        except SQLAlchemyError as error:
            self._rest(error)
            return None, "failed"
        self._outage.over()
        return loaded, "used" if await self._is_valid(loaded[1]) else "behind"

    def _rest(self, error: Exception) -> None:
        self._rests_until = time.monotonic() + REST_SECONDS
        self._outage.note(error)
