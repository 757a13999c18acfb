"""The stream of an article: an answer that goes on, and tells what changes in public as it does.

The rows say what that is: each comment has the revision with which the public last came to see it otherwise.
"""

import asyncio
import random
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

import msgspec
from litestar.types import Receive, Scope, Send
from sqlalchemy import Row
from sqlmodel.ext.asyncio.session import AsyncSession

from service.errors import RateLimited
from service.http.edge import ENDLESS, IS_HEAD
from service.http.wire import Id
from service.publication import queries
from service.publication.cache.dependencies import Dependencies
from service.publication.cache.read_through import Cache, Loaded
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


# Comments in one batch, which is all that waits for a slow reader.
BATCH = 100


class RemovedComment(msgspec.Struct, frozen=True):
    """A comment that the public does not see any more."""

    id: Id


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """What follows a place: up to where, whether there is more, and the events as they are sent."""

    known: int
    """The revision all of whose changes are known before the events."""
    end: StreamPosition
    has_more: bool
    events: bytes


_DECODER = msgspec.msgpack.Decoder(Batch)


async def read_batch(cache: Cache, site: KnownSite, key: str, start: StreamPosition | None) -> Batch:
    """Give the changes of an article after a place, read once for all who stand there.

    From None, and from a revision that is not there yet, it leads to the present one, past all changes.
    Raises Unavailable.
    """

    async def load(session: AsyncSession) -> Loaded:
        after, limit = (start, BATCH + 1) if start else (StreamPosition(0), 1)
        rows = await queries.read_changes(session, site.id, key, after.revision, after.after, limit)
        present: int | None = rows[0].revision if rows else None
        batch = make_batch(rows, start, present or 0)
        return msgspec.msgpack.encode(batch), Dependencies(site, {key: present})

    entry = await cache.get(("events", key, start), site, load)
    return _DECODER.decode(entry.body)


def make_batch(rows: Sequence[Row[Any]], start: StreamPosition | None, present: int) -> Batch:
    """Make a batch of what was read after a place, one row more than fits if there is more."""
    if start is None or start.revision > present:
        # Such a revision is from before a backup was put back.
        return Batch(present, StreamPosition(present), False, b"")
    changed = [row for row in rows if row.id is not None]
    shown, has_more = changed[:BATCH], len(changed) > BATCH
    # Within a revision only what came before it is known as a whole.
    known = start.revision if start == StreamPosition(start.revision) else start.revision - 1
    events = b"".join(_encode(changed, len(shown), known, present))
    end = StreamPosition(shown[-1].public_revision, shown[-1].id) if has_more else StreamPosition(present)
    return Batch(known, end, has_more, events)


def _encode(changed: Sequence[Row[Any]], count: int, known: int, present: int) -> Iterator[bytes]:
    """Write events. The id of each is a revision of which nothing is missing once the event is known.

    So whoever loses the connection between two of one revision gets both again, and loses none.
    """
    for number, row in enumerate(changed[:count]):
        following = changed[number + 1].public_revision if number + 1 < len(changed) else None
        if following is None:
            known = present
        elif following != row.public_revision:
            known = row.public_revision
        yield _event(row, known)


def _event(row: Row[Any], known: int) -> bytes:
    is_visible = row.visibility == "visible"
    comment = queries.publish(row) if is_visible else RemovedComment(str(row.id))
    name = b"approved" if is_visible else b"removed"
    # JSON has no line breaks outside its strings, and escapes those within.
    return b"event: %b\nid: %d\ndata: %b\n\n" % (name, known, msgspec.json.encode(comment))


class CommentStream(msgspec.Struct, frozen=True):
    """An ASGI app that answers one request with the changes of an article; `start` None is from now on."""

    services: Services
    cache: Cache
    live: Live
    site: KnownSite
    key: str
    start: StreamPosition | None
    prefix: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; raises RateLimited or Unavailable before the answer has begun."""
        if scope["state"].get(IS_HEAD):
            await _begin(send)
            await _end(send)
            return
        with self.live.following((self.site.id, self.key)) as follower:
            lease = await self.services.leases.take(QUOTA, self.prefix, uuid4().hex)
            if lease is None:
                self.services.metrics.refusals.labels(QUOTA.name).inc()
                raise RateLimited(headers=QUOTA.headers)
            try:
                scope["state"][ENDLESS] = follower
                await self._answer(follower, receive, send)
            finally:
                await self.services.leases.give_back(lease)

    async def _answer(self, follower: Follower, receive: Receive, send: Send) -> None:
        batch = await read_batch(self.cache, self.site, self.key, self.start)
        follower.position = batch.end
        leaving = asyncio.create_task(_leave_with(receive, follower))
        try:
            await _begin(send)
            retry = random.randint(*RETRY_MILLISECONDS)  # noqa: S311 - It spreads load, and hides nothing.
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
        ends_at = clock() + random.uniform(*LIFE_SECONDS)  # noqa: S311 - It spreads load, too.
        while not follower.has_ended and (left := ends_at - clock()) > 0:
            if not await follower.woken(min(left, HEARTBEAT_SECONDS)):
                await _write(send, b": \n\n")
            elif not follower.has_ended:
                await self._pass_on(follower, send)

    async def _pass_on(self, follower: Follower, send: Send) -> None:
        """Send what has changed, one batch; if there is more, it is the next thing that is done."""
        try:
            # As it is by now, since entries of the cache depend on that.
            site = await self.services.directory.find(self.site.slug) or self.site
            batch = await read_batch(self.cache, site, self.key, follower.position)
        # Whatever becomes of the database, nobody has to come back for it, nor all at once.
        except Exception as error:
            # The next look at the database wakes it again.
            self.live.outage.note(error)
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
