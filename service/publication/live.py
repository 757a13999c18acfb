"""Those who follow articles, and what wakes them: word of a change, and a look at the database.

As with the cache, only the look is relied on. It is one for all articles that are followed.
"""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from service.changes import Change
from service.concurrency.tasks import repeat, running_beside
from service.database import Pool
from service.errors import Unavailable
from service.publication import queries
from service.publication.cache.read_through import REVALIDATION_SECONDS, Cache
from service.server.open_files import within_half
from service.telemetry.metrics import Metrics
from service.telemetry.outages import Outage

RETRY_SECONDS = 30
# No comment has a higher id: with this one, all that changed with a revision is known.
ALL = UUID(int=(1 << 128) - 1)


class StreamPosition(msgspec.Struct, frozen=True, array_like=True):
    """How far somebody knows the changes of an article: to the comment of this id within a revision."""

    revision: int
    after: UUID = ALL


class Follower:
    """One who follows an article: how far, and the means to wake him."""

    __slots__ = ("_wake", "has_ended", "position")

    def __init__(self) -> None:
        self.position: StreamPosition | None = None
        self.has_ended = False
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Have him look for changes."""
        self._wake.set()

    def end(self) -> None:
        """Have him leave."""
        self.has_ended = True
        self._wake.set()

    async def woken(self, seconds: float) -> bool:
        """Wait to be woken, and tell whether that came in time."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return False
        self._wake.clear()
        return True


@dataclass(slots=True)
class Followed:
    """An article that is followed, by whom, and its revision when it was last looked at."""

    by: set[Follower] = field(default_factory=set)
    revision: int | None = None

    def late(self, revision: int) -> list[Follower]:
        """Give those who stand elsewhere than at a revision; whoever is only about to begin does not."""
        return [one for one in self.by if one.position and one.position != StreamPosition(revision)]


class Live:
    """All followers of a process."""

    def __init__(self, pool: Pool, cache: Cache, metrics: Metrics, most: int) -> None:
        self._pool = pool
        self._cache = cache
        self._metrics = metrics
        self._followed: dict[queries.ArticleRef, Followed] = {}
        self._count = 0
        self._max = within_half(most)
        self.outage = Outage("The database for streams", "streams have nothing new to say")

    @contextmanager
    def following(self, place: queries.ArticleRef) -> Iterator[Follower]:
        """Follow an article for as long as the block lasts; raises Unavailable when too many do."""
        if self._count >= self._max:
            raise Unavailable("Too many streams are open.", retry_after_seconds=RETRY_SECONDS)
        follower = Follower()
        self._followed.setdefault(place, Followed()).by.add(follower)
        self._grow(1)
        try:
            yield follower
        finally:
            self._grow(-1)
            followed = self._followed[place]
            followed.by.discard(follower)
            if not followed.by:
                del self._followed[place]

    def _grow(self, step: int) -> None:
        self._count += step
        self._metrics.streams.set(self._count)

    def hear(self, changes: Collection[Change]) -> None:
        """Wake those who follow what has changed."""
        for change in changes:
            if followed := self._followed.get((change.site_id, change.article)):
                for follower in followed.by:
                    follower.wake()

    def running(self) -> AbstractAsyncContextManager[None]:
        """Look for changes that nobody told of, for as long as the block lasts.

        What has changed while that fails is found when the database is back.
        """
        return running_beside(repeat(REVALIDATION_SECONDS, self.look, self.outage.note))

    async def look(self) -> None:
        """Compare every article that is followed with the database, and wake who does not know a change."""
        if not self._followed:
            return
        async with self._pool.reading() as session:
            found = await queries.read_counts(session, list(self._followed))
        self.outage.over()
        for place, followed in self._followed.items():
            revision = found.get(place, (0, 0))[0]
            late = followed.late(revision)
            if late and revision != followed.revision:
                # Once for each change: what is cached now may be from before it.
                self._cache.invalidate([Change(*place)])
            followed.revision = revision
            for follower in late:
                follower.wake()
