"""Public answers from memory where they are true, from one query where not; never older than two seconds.

Two things keep them true. Every change that this process hears of drops what it puts out of date, at once.
And what is asked for is compared with the database's revisions once in a while, so that nothing depends on
hearing.
"""

import asyncio
from collections.abc import Callable, Collection, Hashable
from contextlib import AbstractAsyncContextManager

from sqlmodel.ext.asyncio.session import AsyncSession

from service.changes import Change
from service.concurrency.tasks import let_go, repeat, running_beside
from service.database import Pool
from service.errors import Unavailable
from service.publication import queries
from service.publication.flights import Flight
from service.publication.memory import NEVER, Basis, Entry, Memory
from service.publication.standby import Made, Read, Standby
from service.sites.directory import KnownSite
from service.telemetry.metrics import Metrics
from service.telemetry.outages import Outage

# Short of what is fresh by enough that an answer in use is checked before anybody has to wait for that.
SWEEP_SECONDS = 0.75
# Answers that are compared together.
CHUNK = 500
# Reads of a page that changes again and again while it is read.
MAX_READS = 4
# A database that is silent for longer is as good as none.
PATIENCE_SECONDS = 5.0


class Pages:
    """The public answers of a process, each read once however many wait for it.

    They are read from `standby`, a copy of the database, where that is not behind.
    """

    def __init__(
        self, pool: Pool, memory: Memory, metrics: Metrics, standby: Pool | None = None
    ) -> None:
        self._pool = pool
        self._standby = Standby(standby, self._is_current, metrics) if standby else None
        self._memory = memory
        self._metrics = metrics
        self._flights: dict[Hashable, Flight] = {}
        self._outage = Outage("The database for pages", "none is sent that is not known to be true")

    async def get(
        self, key: Hashable, site: KnownSite, read: Read, *, is_kept: bool = True
    ) -> Entry:
        """Give the answer under a key of a site, from memory, or by `read`, which may raise NotFound.

        It was true after this was called, or less than FRESH_SECONDS before with nothing heard of since.
        Without `is_kept` it goes to all who ask while it is read, and is then forgotten.
        Raises Unavailable when the database does not answer.
        """
        wanted, asked_at = Flight((site.id, key), site, read, is_kept), self._memory.now()
        while True:
            entry = self._memory.recall(wanted.key)
            known = entry if entry is not None and entry.basis.site == site else None
            if known is not None and self._memory.is_fresh(known):
                return known
            flight = self._flights.get(wanted.key) or self._start(wanted, known)
            # Who goes away meanwhile, or waits no longer, does not take the answer from the others.
            await asyncio.wait([flight.task], timeout=PATIENCE_SECONDS)
            if not flight.task.done():
                raise Unavailable
            if flight.serves(site, asked_at):
                return flight.task.result()

    def derive(self, entry: Entry, part: str, make: Callable[[bytes, str], bytes]) -> Entry:
        """Give what is made of an answer that `get` has just given and of one part more, as true as that."""
        key = ("derived", entry.key, part)
        known = self._memory.recall(key)
        if known is not None and known.basis == entry.basis:
            known.checked_at = max(known.checked_at, entry.checked_at)
            return known
        derived = Entry(key, make(entry.body, part), entry.basis, entry.checked_at)
        # What became out of date while it was waited for would be taken for true.
        if entry.shelf is not None:
            self._memory.keep(derived)
        return derived

    def _start(self, flight: Flight, known: Entry | None) -> Flight:
        flight.task = asyncio.create_task(self._renew(flight, known))
        let_go(flight.task)
        self._flights[flight.key] = flight
        return flight

    async def _renew(self, flight: Flight, known: Entry | None) -> Entry:
        self._metrics.page_reads.inc()
        try:
            for _ in range(MAX_READS):
                flight.begin(self._memory.now())
                entry = await self._confirm(known) or await self._make(flight)
                if flight.heard.isdisjoint(entry.basis.changes):
                    flight.is_true, entry.checked_at = True, flight.began_at
                    break
        finally:
            # Under a key there is one flight at a time: this one, from its start to its end.
            del self._flights[flight.key]
        if flight.is_kept:
            self._memory.keep(entry)
        return entry

    async def _confirm(self, entry: Entry | None) -> Entry | None:
        """Give an answer that is still true."""
        return entry if entry is not None and await self._is_current(entry.basis) else None

    async def _make(self, flight: Flight) -> Entry:
        body, basis = await self._read(flight.read)
        return Entry(flight.key, body, basis, NEVER)

    async def _read(self, read: Read) -> Made:
        made = await self._standby.read(read) if self._standby else None
        if made is not None:
            return made
        async with self._pool.reading() as session:
            return await read(session)

    async def _is_current(self, basis: Basis) -> bool:
        """Tell whether the articles are as they were; the site was just looked up by whoever asks."""
        async with self._pool.reading() as session:
            found = await queries.read_counts(session, basis.places)
        return basis.holds(found)

    def forget(self, changes: Collection[Change]) -> None:
        """Drop what these changes put out of date; what is being read now is read again."""
        self._memory.forget(changes)
        for flight in self._flights.values():
            flight.heard.update(changes)

    def doubt(self) -> None:
        """Have everything checked before it is sent again, since changes may have gone unheard."""
        self._memory.doubt()

    def running(self) -> AbstractAsyncContextManager[None]:
        """Check what is asked for, for as long as the block lasts.

        What was not checked, because that failed, is no longer fresh soon, and then not sent.
        """
        return running_beside(repeat(SWEEP_SECONDS, self.sweep, self._outage.note))

    async def sweep(self) -> None:
        """Check every answer that was asked for since the last time, and drop those that are out of date."""
        self._metrics.note_memory(self._memory.hits, self._memory.bytes, len(self._memory))
        asked = list(self._memory.take_asked())
        for start in range(0, len(asked), CHUNK):
            chunk = asked[start : start + CHUNK]
            self._memory.note(entry.key for entry in chunk)
            started = self._memory.now()
            async with self._pool.reading() as session:
                outdated = await find_outdated(session, [entry.basis for entry in chunk])
            self._outage.over()
            for entry in chunk:
                if id(entry.basis) in outdated:
                    self._memory.drop(entry)
                else:
                    entry.checked_at = started


async def find_outdated(session: AsyncSession, bases: Collection[Basis]) -> set[int]:
    """Give those (by `id`) whose site or articles are no longer as they were."""
    sites = await queries.read_sites(session, {basis.site.id for basis in bases})
    found = await queries.read_counts(session, {place for basis in bases for place in basis.places})
    return {
        id(basis)
        for basis in bases
        if sites.get(basis.site.id) != basis.site or not basis.holds(found)
    }
