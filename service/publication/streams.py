"""The stream of an article: an answer that goes on, and tells what changes in public as it does."""

import asyncio
import random
from typing import Any
from uuid import uuid4

from litestar.types import Receive, Scope, Send

from service.errors import RateLimited
from service.http.endless import ENDLESS, IS_HEAD
from service.publication.cache.read_through import Cache
from service.publication.events import read_batch
from service.publication.live import Follower, Live, StreamPosition
from service.rate_limiting.leases import Quota
from service.server.draining import DRAIN
from service.services import Services
from service.sites.directory import KnownSite

EVENT_STREAM = "text/event-stream"
QUOTA = Quota("streams", 10)
# Proxies end what is silent for a minute, and a client that is gone without a word is found so.
HEARTBEAT_SECONDS = 15.0
# So that streams spread over the processes again after one was restarted; not all at the same moment.
LIFE_SECONDS = (1_500.0, 2_100.0)
# When a client may come back; those that were cut off together should not come together.
RETRY_MILLISECONDS = (2_000, 5_000)
_HEADERS = (
    (b"content-type", EVENT_STREAM.encode()),
    # nginx and those who learned it from there would collect an answer before they pass it on.
    (b"x-accel-buffering", b"no"),
)


class CommentStream:
    """An ASGI app that answers one request with the changes of an article; `start` None is from now on."""

    def __init__(
        self,
        services: Services,
        cache: Cache,
        live: Live,
        *,
        site: KnownSite,
        key: str,
        start: StreamPosition | None,
        prefix: str,
    ) -> None:
        self._services = services
        self._cache = cache
        self._live = live
        self._site = site
        self._key = key
        self._start = start
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; raises RateLimited or Unavailable before the answer has begun."""
        if scope["state"].get(IS_HEAD):
            await _begin(send)
            await _end(send)
            return
        with self._live.following((self._site.id, self._key)) as follower:
            lease = await self._services.leases.take(QUOTA, self._prefix, uuid4().hex)
            if lease is None:
                self._services.metrics.refusals.labels(QUOTA.name).inc()
                raise RateLimited(headers=QUOTA.headers)
            try:
                scope["state"][ENDLESS] = follower
                await self._answer(follower, receive, send)
            finally:
                await self._services.leases.give_back(lease)

    async def _answer(self, follower: Follower, receive: Receive, send: Send) -> None:
        batch = await read_batch(self._cache, self._site, self._key, self._start)
        follower.position = batch.end
        leaving = asyncio.create_task(_leave_with(receive, follower))
        try:
            await _begin(send)
            retry = random.randint(*RETRY_MILLISECONDS)  # noqa: S311 - spreads load, hides nothing.
            # Without data the id is no event, and is known for the next time all the same.
            head = b"retry: %d\nid: %d\n\n" % (retry, batch.known)
            await _write(send, head + batch.events)
            if DRAIN.has_begun:
                follower.end()
            if batch.has_more:
                follower.wake()
            # Else it would stay with the frame for as long as the stream lasts.
            del batch, head
            await self._follow(follower, send)
            await _end(send)
        finally:
            leaving.cancel()

    async def _follow(self, follower: Follower, send: Send) -> None:
        clock = asyncio.get_running_loop().time
        ends_at = clock() + random.uniform(*LIFE_SECONDS)  # noqa: S311 - as above.
        while not follower.has_ended and (left := ends_at - clock()) > 0:
            if not await follower.woken(min(left, HEARTBEAT_SECONDS)):
                await _write(send, b": \n\n")
            elif not follower.has_ended:
                await self._pass_on(follower, send)

    async def _pass_on(self, follower: Follower, send: Send) -> None:
        """Send what has changed, one batch; if there is more, it is the next thing that is done."""
        try:
            # As it is by now, since entries of the cache depend on that.
            site = await self._services.directory.find(self._site.slug) or self._site
            batch = await read_batch(self._cache, site, self._key, follower.position)
        # Whatever becomes of the database, nobody has to come back for it, nor all at once.
        except Exception as error:
            # The next look at the database wakes it again.
            self._live.outage.note(error)
            return
        follower.position = batch.end
        if batch.has_more:
            follower.wake()
        if batch.events:
            await _write(send, batch.events)


async def _leave_with(receive: Receive, follower: Follower) -> None:
    """End a stream when its client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    follower.end()


async def _begin(send: Send) -> None:
    message: Any = {"type": "http.response.start", "status": 200, "headers": list(_HEADERS)}
    await send(message)


async def _write(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def _end(send: Send) -> None:
    await send({"type": "http.response.body", "body": b"", "more_body": False})
