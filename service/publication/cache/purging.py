"""Telling the cache in front, such as Varnish or a CDN, what it holds that is out of date."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import httpx

from service.changes import Change
from service.concurrency.tasks import running_beside
from service.publication.cache.dependencies import surrogate_key
from service.telemetry.metrics import Metrics
from service.telemetry.outages import Outage

TIMEOUT_SECONDS = 5.0
# A cache that does not answer is tried again while that is sooner than what `s-maxage` brings anyway.
TRIES = 3
PAUSE_SECONDS = 0.5
# Keys of one request: caches bound the length of a header.
MAX_KEYS = 100


class Purger:
    """Sends `PURGE` with the keys of what this process changed; those that wait go out together."""

    def __init__(self, url: str, metrics: Metrics) -> None:
        self._url = url
        self._metrics = metrics
        self._waiting: set[str] = set()
        self._wake = asyncio.Event()
        self._outage = Outage("The cache to purge", "it shows changes when `s-maxage` is over")

    def purge(self, changes: Collection[Change]) -> None:
        """Have the cache forget all answers that tell of these articles; returns at once."""
        self._waiting.update(surrogate_key(change) for change in changes)
        self._wake.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send for as long as the block lasts, and what still waits at its end once."""
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            try:
                async with running_beside(self._run(client)):
                    yield
            finally:
                if keys := self._take():
                    await self._try(client, keys)

    async def _run(self, client: httpx.AsyncClient) -> None:
        while True:
            await self._wake.wait()
            while keys := self._take():
                await self._send(client, keys)
            self._wake.clear()

    def _take(self) -> list[str]:
        keys = list(self._waiting)[:MAX_KEYS]
        self._waiting.difference_update(keys)
        return keys

    async def _send(self, client: httpx.AsyncClient, keys: list[str]) -> None:
        for _ in range(TRIES):
            if await self._try(client, keys):
                return
            await asyncio.sleep(PAUSE_SECONDS)
        self._metrics.purge_failures.inc(len(keys))

    async def _try(self, client: httpx.AsyncClient, keys: list[str]) -> bool:
        try:
            answer = await client.request("PURGE", self._url, headers={"Surrogate-Key": " ".join(keys)})
        # Whatever it is that fails there, the next change has to be told.
        except Exception as error:
            self._outage.note(error)
            return False
        if answer.is_success:
            self._outage.over()
        else:
            self._outage.note(f"status {answer.status_code}")
        return answer.is_success
