"""Public answers from the store where they are valid, loaded by one query where not; never two seconds old.

Two things keep entries valid. Every change that this process hears of invalidates those that depend on it, at
once. And what is in use is compared with the database's revisions once in a while, so that nothing depends on
hearing.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Hashable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel.ext.asyncio.session import AsyncSession

from service.changes import Change
from service.concurrency.patience import PATIENCE_SECONDS, Patience
from service.concurrency.tasks import let_go, repeat, running_beside
from service.database import Pool
from service.errors import NotFound
from service.publication import queries
from service.publication.cache.dependencies import Dependencies
from service.publication.cache.store import FRESH_SECONDS, NEVER, Entry, Store
from service.sites.directory import KnownSite
from service.telemetry.metrics import Metrics
from service.telemetry.outages import Outage

# Short of what is fresh by enough that an entry in use is revalidated before anybody has to wait for that.
REVALIDATION_SECONDS = 0.75
# Entries that are revalidated together.
CHUNK = 500
# Loads of an answer that changes again and again while it is loaded.
MAX_LOADS = 4
# A copy that failed is left alone for so long: nobody should wait for it again and again.
REST_SECONDS = 5.0
# How long an answer may take to come from it.
STANDBY_SECONDS = 1.0
Loaded = tuple[bytes, Dependencies]
Loader = Callable[[AsyncSession], Awaitable[Loaded]]


@dataclass(slots=True, eq=False)
class PendingLoad:
    """One load of the answer under a key, for however many wait for it, and what has changed since it began.

    No SingleFlight: who asks after a change must not be given what began before it. It is found by its key
    and is like no other: two that heard of the same changes are still two.
    """

    key: Hashable
    site: KnownSite
    load: Loader
    is_stored: bool
    is_valid: bool = False
    """Whether it brought an answer, and nothing was heard of meanwhile that would change it."""
    began_at: float = NEVER
    changes: set[Change] = field(default_factory=set)
    task: asyncio.Task[Entry] = field(init=False)

    def begin(self, now: float) -> None:
        """Load, for the first time or again: what was heard of before is in what is loaded from now on."""
        self.began_at = now
        self.changes.clear()

    def serves(self, site: KnownSite, asked_at: float) -> bool:
        """Tell whether what has come of it is an answer to who asked about a site at a moment.

        It is if it began after that moment; else it has to be valid, and from shortly before. That the
        database does not answer holds for all: nobody should wait for that once more.
        """
        if not isinstance(self.task.exception(), NotFound | None):
            return True
        age = asked_at - self.began_at
        return self.site == site and (age <= 0 or (self.is_valid and age < FRESH_SECONDS))


class Standby:
    """A copy of the database, such as a hot standby of PostgreSQL.

    It may lag, so `is_valid` asks the database itself whether what the copy says still holds.
    """

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
        await asyncio.wait([task], timeout=STANDBY_SECONDS)
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


class Cache:
    """The public answers of a process, each loaded once however many wait for it.

    They are loaded from `standby`, a copy of the database, where that is not behind.
    """

    def __init__(self, pool: Pool, store: Store, metrics: Metrics, standby: Pool | None = None) -> None:
        self._pool = pool
        self._standby = Standby(standby, self._is_valid, metrics) if standby else None
        self._store = store
        self._metrics = metrics
        self._pending: dict[Hashable, PendingLoad] = {}
        self._outage = Outage("The database for pages", "none is sent that is not known to be true")

    async def get(self, key: Hashable, site: KnownSite, load: Loader, *, is_stored: bool = True) -> Entry:
        """Give the entry under a key of a site, from the store, or by `load`, which may raise NotFound.

        It was valid after this was called, or less than FRESH_SECONDS before with nothing heard of since.
        Without `is_stored` it goes to all who ask while it is loaded, and is then forgotten.
        Raises Unavailable when the database does not answer.
        """
        wanted, asked_at = PendingLoad((site.id, key), site, load, is_stored), self._store.now()
        while True:
            entry = self._store.get(wanted.key)
            known = entry if entry is not None and entry.dependencies.site == site else None
            if known is not None and self._store.is_fresh(known):
                return known
            pending = self._pending.get(wanted.key) or self._start(wanted, known)
            # Who goes away meanwhile, or waits no longer, does not take the answer from the others.
            async with Patience(PATIENCE_SECONDS):
                await asyncio.wait([pending.task])
            if pending.serves(site, asked_at):
                return pending.task.result()

    def derive(self, entry: Entry, part: str, make: Callable[[bytes, str], bytes]) -> Entry:
        """Give what is made of an entry that `get` has just given and of one part more, as valid as that."""
        key = ("derived", entry.key, part)
        known = self._store.get(key)
        if known is not None and known.dependencies == entry.dependencies:
            known.validated_at = max(known.validated_at, entry.validated_at)
            return known
        derived = Entry(key, make(entry.body, part), entry.dependencies, entry.validated_at)
        # What was invalidated while it was waited for would be taken for valid.
        if entry.segment is not None:
            self._store.put(derived)
        return derived

    def _start(self, pending: PendingLoad, known: Entry | None) -> PendingLoad:
        pending.task = asyncio.create_task(self._renew(pending, known))
        let_go(pending.task)
        self._pending[pending.key] = pending
        return pending

    async def _renew(self, pending: PendingLoad, known: Entry | None) -> Entry:
        """Revalidate an entry, or load it anew."""
        self._metrics.page_reads.inc()
        try:
            for _ in range(MAX_LOADS):
                pending.begin(self._store.now())
                if known is not None and await self._is_valid(known.dependencies):
                    entry = known
                else:
                    entry = Entry(pending.key, *await self._load(pending.load))
                if pending.changes.isdisjoint(entry.dependencies.changes):
                    pending.is_valid, entry.validated_at = True, pending.began_at
                    break
        finally:
            # Under a key there is one load at a time: this one, from its start to its end.
            del self._pending[pending.key]
        if pending.is_stored:
            self._store.put(entry)
        return entry

    async def _load(self, load: Loader) -> Loaded:
        loaded = await self._standby.load(load) if self._standby else None
        if loaded is not None:
            return loaded
        async with self._pool.reading() as session:
            return await load(session)

    async def _is_valid(self, dependencies: Dependencies) -> bool:
        """Tell whether the articles are as they were; the site was just looked up by whoever asks."""
        async with self._pool.reading() as session:
            return dependencies.hold(await queries.read_counts(session, dependencies.changes))

    def invalidate(self, changes: Collection[Change]) -> None:
        """Remove what depends on these changes; what is being loaded now is loaded again."""
        self._store.invalidate(changes)
        for pending in self._pending.values():
            pending.changes.update(changes)

    def mark_stale(self) -> None:
        """Have everything revalidated before it is sent again, since changes may have gone unheard."""
        self._store.mark_stale()

    def running(self) -> AbstractAsyncContextManager[None]:
        """Revalidate what is in use, for as long as the block lasts.

        What was not revalidated, because that failed, is stale soon, and then not sent.
        """
        return running_beside(repeat(REVALIDATION_SECONDS, self.revalidate, self._outage.note))

    async def revalidate(self) -> None:
        """Compare every entry that was used since the last time with the database, and remove the invalid."""
        self._metrics.note_cache(self._store.hits, self._store.bytes, len(self._store))
        used = list(self._store.take_used())
        for start in range(0, len(used), CHUNK):
            chunk = used[start : start + CHUNK]
            self._store.count(entry.key for entry in chunk)
            started = self._store.now()
            async with self._pool.reading() as session:
                invalid = await find_invalid(session, chunk)
            self._outage.over()
            for entry in chunk:
                if entry in invalid:
                    self._store.remove(entry)
                else:
                    entry.validated_at = started


async def find_invalid(session: AsyncSession, entries: Collection[Entry]) -> set[Entry]:
    """Give those whose site or articles are no longer as they were."""
    needed = {entry: entry.dependencies for entry in entries}
    sites = await queries.read_sites(session, {one.site.id for one in needed.values()})
    changes = {change for one in needed.values() for change in one.changes}
    found = await queries.read_counts(session, changes)
    return {
        entry for entry, one in needed.items() if sites.get(one.site.id) != one.site or not one.hold(found)
    }
