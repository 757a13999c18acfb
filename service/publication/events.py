"""What has changed of an article since a revision of it, as server-sent events.

The rows say it: each comment has the revision with which the public last came to see it otherwise.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row
from sqlmodel.ext.asyncio.session import AsyncSession

from service.http.wire import Id
from service.publication import queries
from service.publication.cache.dependencies import Dependencies
from service.publication.cache.read_through import Cache
from service.publication.cache.standby import Loaded
from service.publication.live import StreamPosition
from service.sites.directory import KnownSite

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


async def read_batch(
    cache: Cache, site: KnownSite, key: str, start: StreamPosition | None
) -> Batch:
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
    end = (
        StreamPosition(shown[-1].public_revision, shown[-1].id)
        if has_more
        else StreamPosition(present)
    )
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
