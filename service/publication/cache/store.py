"""The entries of the cache, found by key and by the URL that asked, and bounded in bytes.

There are as many answers as somebody makes up, so what was asked for once never evicts what is asked for
often. As in a segmented LRU a new entry is on probation; what that segment evicts is admitted to the
protected one only if there is room, or if it is used more often than each entry in its way (TinyLFU).
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from sys import getsizeof

from litestar.types import HTTPScope

from service.changes import Change
from service.http.stored import StoredResponse
from service.publication.cache.dependencies import Dependencies

# Nothing older than two seconds may be served; an entry that is stale is revalidated before it is sent.
FRESH_SECONDS = 1.8
NEVER = float("-inf")
# The part of the room that is for entries on probation.
PROBATION_SHARE = 4
# Spellings of one address that are remembered, and how long each may be: others go by the router.
MAX_URLS = 8
MAX_URL_BYTES = 2_048
# What an entry takes beside its bytes: headers, keys, and its places in the tables.
ENTRY_BYTES = 3_000
# What each article that an answer depends on takes beside its name.
ARTICLE_BYTES = 800
ROWS = 4
# One byte each: 256 KiB in all. The hash of a key has 64 bits, 16 for each row.
WIDTH = 1 << 16
# More tells nothing: what was used at so many moments is used often.
MOST = 15
# So many moments, then all counts are halved: of those that were made up, 2.5 fall on each place by then.
SAMPLE = 10 * WIDTH // ROWS
_HALVED = bytes(count >> 1 for count in range(256))

Url = tuple[str, bytes]


class Entry(StoredResponse):
    """A cached answer, with the moment at which its dependencies were last known to hold."""

    __slots__ = ("dependencies", "key", "segment", "urls", "validated_at", "weight")

    def __init__(
        self, key: Hashable, body: bytes, dependencies: Dependencies, validated_at: float = NEVER
    ) -> None:
        super().__init__(body)
        self.key = key
        self.dependencies = dependencies
        self.validated_at = validated_at
        self.segment: Segment | None = None
        # How often each was asked by.
        self.urls: dict[Url, int] = {}
        self.weight = 0


class Segment(OrderedDict[Hashable, Entry]):
    """Entries by their keys, the least recently used first, and the room that they have."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__()
        self.max_bytes = max_bytes
        self.bytes = 0

    @property
    def is_overfull(self) -> bool:
        return self.bytes > self.max_bytes

    @property
    def least_used(self) -> Entry:
        return next(iter(self.values()))

    def take(self, entry: Entry) -> None:
        """Take an entry in, out of the segment in which it is."""
        if entry.segment is not None:
            entry.segment.remove(entry)
        self[entry.key] = entry
        self.bytes += entry.weight
        entry.segment = self

    def remove(self, entry: Entry) -> None:
        del self[entry.key]
        self.bytes -= entry.weight
        entry.segment = None


class FrequencySketch:
    """Counts moments by keys, in few bytes: too high if anything, and too low only by age.

    A count-min sketch (Cormode and Muthukrishnan, 2005) that grows old as in TinyLFU (Einziger, Friedman and
    Manes, 2017).
    """

    def __init__(self) -> None:
        self._rows = [bytearray(WIDTH) for _ in range(ROWS)]
        self._left = SAMPLE

    def increment(self, key: Hashable) -> None:
        """Count one moment more at which a key was used."""
        for row, place in self._places(key):
            if row[place] < MOST:
                row[place] += 1
        self._left -= 1
        if self._left <= 0:
            self._rows = [row.translate(_HALVED) for row in self._rows]
            self._left = SAMPLE

    def estimate(self, key: Hashable) -> int:
        """Give how often a key was used, at most MOST."""
        return min(row[place] for row, place in self._places(key))

    def _places(self, key: Hashable) -> Iterator[tuple[bytearray, int]]:
        found = hash(key)
        for row in self._rows:
            yield row, found & (WIDTH - 1)
            found >>= 16


class Store:
    """All entries of a process. `now` gives the seconds of a clock that never goes back."""

    def __init__(self, max_bytes: int, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self._probation = Segment(max_bytes // PROBATION_SHARE)
        self._protected = Segment(max_bytes - max_bytes // PROBATION_SHARE)
        self._frequency = FrequencySketch()
        self._by_url: dict[Url, Entry] = {}
        self._by_change: dict[Change, set[Entry]] = {}
        self._used: set[Entry] = set()
        # What was removed before it was counted that it was used.
        self._removed: set[Hashable] = set()
        self._stale_until = NEVER
        self.hits = 0

    def __len__(self) -> int:
        return len(self._protected) + len(self._probation)

    @property
    def bytes(self) -> int:
        return self._protected.bytes + self._probation.bytes

    def find(self, scope: HTTPScope) -> Entry | None:
        """Give the entry for a request that is known by its very URL, if it is fresh."""
        url = (scope["path"], scope["query_string"])
        entry = self._by_url.get(url)
        if entry is None or not self.is_fresh(entry):
            return None
        self.hits += 1
        entry.urls[url] += 1
        self._used.add(entry)
        if entry.segment is not None:
            entry.segment.move_to_end(entry.key)
        return entry

    def get(self, key: Hashable) -> Entry | None:
        """Give the entry under a key, fresh or stale."""
        entry = self._peek(key)
        if entry is not None and entry.segment is not None:
            self._used.add(entry)
            entry.segment.move_to_end(key)
        return entry

    def _peek(self, key: Hashable) -> Entry | None:
        return self._protected.get(key) or self._probation.get(key)

    def is_fresh(self, entry: Entry) -> bool:
        """Tell whether an entry was validated so short a time ago that it may be sent as it is."""
        return self._stale_until < entry.validated_at > self.now() - FRESH_SECONDS

    def put(self, entry: Entry) -> None:
        """Put an entry under its key, on probation, in place of the one before."""
        before = self._peek(entry.key)
        if before is entry:
            # It was only validated anew.
            return
        if before is not None:
            self.remove(before)
        self._probation.take(entry)
        for change in entry.dependencies.changes:
            self._by_change.setdefault(change, set()).add(entry)
        self._used.add(entry)
        self._weigh(entry, self._probation)

    def note_sent(self, scope: HTTPScope, stored: StoredResponse) -> None:
        """Have the URL of a request lead to the entry that was sent, and count the variants it has by now."""
        # It may have been removed while it was sent.
        if not isinstance(stored, Entry) or stored.segment is None:
            return
        url = (scope["path"], scope["query_string"])
        # A form that is sent by GET where nobody reads it would leave its e-mail address here.
        has_address = b"@" in url[1] or b"%40" in url[1]
        if len(url[0]) + len(url[1]) <= MAX_URL_BYTES and not has_address:
            self._lead(url, stored)
        stored.has_grown = False
        self._weigh(stored, stored.segment)

    def _lead(self, url: Url, entry: Entry) -> None:
        """Have a URL lead to an entry, in the place of the one that led there least often."""
        owner = self._by_url.get(url)
        if owner is entry:
            return
        if owner is not None:
            # By another setting of the site the same address means another article.
            del owner.urls[url]
        if len(entry.urls) >= MAX_URLS:
            rarest = min(entry.urls, key=entry.urls.__getitem__)
            del entry.urls[rarest], self._by_url[rarest]
        self._by_url[url] = entry
        entry.urls[url] = 1

    def _weigh(self, entry: Entry, segment: Segment) -> None:
        """Count what an entry takes by now, and evict until all fit."""
        urls = sum(getsizeof(path) + getsizeof(query) for path, query in entry.urls)
        articles = sum(getsizeof(one) + ARTICLE_BYTES for one in entry.dependencies.revisions)
        weight = ENTRY_BYTES + entry.size_bytes + urls + articles
        segment.bytes += weight - entry.weight
        entry.weight = weight
        while self._protected.is_overfull:
            # It has grown by another variant, and what is moved out may come back.
            self._probation.take(self._protected.least_used)
        while self._probation.is_overfull:
            self._admit_or_evict(self._probation.least_used)

    def _admit_or_evict(self, entry: Entry) -> None:
        """Protect an entry on probation in place of those that are used less often, or evict it."""
        victims = self._find_victims(entry)
        for other in [entry] if victims is None else victims:
            self.remove(other)
        if victims is not None:
            self._protected.take(entry)

    def _find_victims(self, entry: Entry) -> list[Entry] | None:
        """Give the least used entries in whose place one would fit, if it is used more often than each."""
        missing = self._protected.bytes + entry.weight - self._protected.max_bytes
        frequency = self._frequency.estimate(entry.key)
        victims: list[Entry] = []
        for other in self._protected.values():
            if missing <= 0:
                break
            if self._frequency.estimate(other.key) >= frequency:
                return None
            victims.append(other)
            missing -= other.weight
        return victims if missing <= 0 else None

    def remove(self, entry: Entry) -> None:
        """Remove an entry; whoever is validating it meanwhile may put it back."""
        if entry.segment is None:
            return
        entry.segment.remove(entry)
        if entry in self._used:
            self._used.remove(entry)
            self._removed.add(entry.key)
        for url in entry.urls:
            del self._by_url[url]
        for change in entry.dependencies.changes:
            entries = self._by_change[change]
            entries.discard(entry)
            if not entries:
                del self._by_change[change]
        entry.urls, entry.weight = {}, 0

    def invalidate(self, changes: Collection[Change]) -> None:
        """Remove every entry that depends on what has changed."""
        for change in changes:
            for entry in list(self._by_change.get(change, ())):
                self.remove(entry)

    def mark_stale(self) -> None:
        """Make all entries stale, also those that are being validated since before this."""
        self._stale_until = self.now()

    def take_used(self) -> set[Entry]:
        """Give the entries that were used since the last call."""
        used, self._used = self._used, set()
        removed, self._removed = self._removed, set()
        self.count(removed.difference(entry.key for entry in used))
        return used

    def count(self, keys: Iterable[Hashable]) -> None:
        """Count one moment more at which entries were used, however often that was."""
        for key in keys:
            self._frequency.increment(key)
