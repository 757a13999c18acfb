"""The public answers that a process keeps, found by the URL that asked and bounded in bytes.

The least used go first. Pages deep in a list, and answers about articles without comments, are as many as
somebody makes up: they lie on a shelf of their own, and push out nothing but one another.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping
from sys import getsizeof
from uuid import UUID

import msgspec
from litestar.types import HTTPScope

from service.changes import Change
from service.http.kept import Kept
from service.sites.directory import KnownSite

# Nothing older than two seconds may be served; what is this old is checked before it is sent.
FRESH_SECONDS = 1.8
NEVER = float("-inf")
# The part of the room that is for what is asked for in passing.
PASSING_SHARE = 4
# Spellings of one address that are remembered, and how long each may be: others go by the router.
MAX_URLS = 8
MAX_URL_BYTES = 2_048
# What an entry takes beside its bytes: headers, keys, and its places in the tables.
ENTRY_BYTES = 3_000
# What each article that an answer tells of takes beside its name.
ARTICLE_BYTES = 800

Url = tuple[str, bytes]
# An article by its site and key.
Place = tuple[UUID, str]
# The revision and the count of an article that is not there.
_NO_ARTICLE = (None, 0)


class Basis(msgspec.Struct, frozen=True):
    """What an answer was made from: a site, and the revision of each article (None where there is none).

    The article WHOLE_SITE stands for all of them. Its revision is the length of the site's log, without an
    entry in which nothing changes in public.
    """

    site: KnownSite
    revisions: dict[str, int | None]

    @property
    def changes(self) -> list[Change]:
        """The changes that would put the answer out of date."""
        return [Change(self.site.id, article) for article in self.revisions]

    @property
    def places(self) -> list[Place]:
        """The articles by site and key."""
        return [(self.site.id, article) for article in self.revisions]

    def holds(self, found: Mapping[Place, tuple[int, int]]) -> bool:
        """Tell whether the articles are as they were; `found` has revision and count of those there are."""
        return all(
            found.get((self.site.id, article), _NO_ARTICLE)[0] == revision
            for article, revision in self.revisions.items()
        )


class Entry(Kept):
    """A kept answer in its place, with the moment at which it was last known to be true.

    `is_passing` marks what hardly anybody asks for twice, such as a page deep in a list.
    """

    __slots__ = ("basis", "checked_at", "is_passing", "key", "shelf", "urls", "weight")

    def __init__(
        self, key: Hashable, body: bytes, basis: Basis, checked_at: float, is_passing: bool = False
    ) -> None:
        super().__init__(body)
        self.key = key
        self.basis = basis
        self.checked_at = checked_at
        self.is_passing = is_passing or None in basis.revisions.values()
        self.shelf: Shelf | None = None
        self.urls: list[Url] = []
        self.weight = 0


class Shelf(OrderedDict[Hashable, Entry]):
    """Answers by their keys, the least used first, and the room that they have."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__()
        self.max_bytes = max_bytes
        self.bytes = 0


class Memory:
    """All kept answers of a process. `now` gives the seconds of a clock that never goes back."""

    def __init__(self, max_bytes: int, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        passing_bytes = max_bytes // PASSING_SHARE
        self._lasting = Shelf(max_bytes - passing_bytes)
        self._passing = Shelf(passing_bytes)
        self._by_url: dict[Url, Entry] = {}
        self._by_change: dict[Change, set[Entry]] = {}
        self._asked: set[Entry] = set()
        self._doubted_at = NEVER
        self.hits = 0

    def __len__(self) -> int:
        return len(self._lasting) + len(self._passing)

    @property
    def bytes(self) -> int:
        return self._lasting.bytes + self._passing.bytes

    def find(self, scope: HTTPScope) -> Entry | None:
        """Give the answer to a request that is known by its very URL, if it is fresh."""
        entry = self._by_url.get((scope["path"], scope["query_string"]))
        if entry is None or not self.is_fresh(entry):
            return None
        self.hits += 1
        self._asked.add(entry)
        if entry.shelf is not None:
            entry.shelf.move_to_end(entry.key)
        return entry

    def recall(self, key: Hashable) -> Entry | None:
        """Give the answer under a key, fresh or not."""
        for shelf in (self._lasting, self._passing):
            if (entry := shelf.get(key)) is not None:
                self._asked.add(entry)
                shelf.move_to_end(key)
                return entry
        return None

    def is_fresh(self, entry: Entry) -> bool:
        """Tell whether an answer was true so short a time ago that it may be sent unchecked."""
        return self._doubted_at < entry.checked_at > self.now() - FRESH_SECONDS

    def keep(self, entry: Entry) -> None:
        """Put an answer under its key, in place of the one before; the least used ones make room."""
        before = self.recall(entry.key)
        if before is entry:
            # It was only found to be true anew.
            return
        if before is not None:
            self.drop(before)
        entry.shelf = self._passing if entry.is_passing else self._lasting
        entry.shelf[entry.key] = entry
        for change in entry.basis.changes:
            self._by_change.setdefault(change, set()).add(entry)
        self._asked.add(entry)
        self._weigh(entry, entry.shelf)

    def settle(self, scope: HTTPScope, kept: Kept) -> None:
        """Remember the URL of a request that a kept answer has just gone out to by way of the router."""
        # It may have been dropped while it was sent.
        if not isinstance(kept, Entry) or kept.shelf is None:
            return
        url = (scope["path"], scope["query_string"])
        owner = self._by_url.get(url)
        if owner is not kept and len(url[0]) + len(url[1]) <= MAX_URL_BYTES:
            if owner is not None:
                # By another setting of the site the same address means another article.
                owner.urls.remove(url)
            self._by_url[url] = kept
            kept.urls.append(url)
        if len(kept.urls) > MAX_URLS:
            del self._by_url[kept.urls.pop(0)]
        kept.has_grown = False
        self._weigh(kept, kept.shelf)

    def _weigh(self, entry: Entry, shelf: Shelf) -> None:
        """Count what an entry takes by now, and drop the least used ones beside it until all fit."""
        urls = sum(getsizeof(path) + getsizeof(query) for path, query in entry.urls)
        articles = sum(getsizeof(article) + ARTICLE_BYTES for article in entry.basis.revisions)
        weight = ENTRY_BYTES + entry.size_bytes + urls + articles
        shelf.bytes += weight - entry.weight
        entry.weight = weight
        while shelf.bytes > shelf.max_bytes:
            self.drop(next(iter(shelf.values())))

    def drop(self, entry: Entry) -> None:
        """Forget an answer; whoever was looking meanwhile whether it is true may keep it again."""
        shelf = entry.shelf
        if shelf is None:
            return
        del shelf[entry.key]
        shelf.bytes -= entry.weight
        self._asked.discard(entry)
        for url in entry.urls:
            del self._by_url[url]
        for change in entry.basis.changes:
            entries = self._by_change[change]
            entries.discard(entry)
            if not entries:
                del self._by_change[change]
        entry.shelf, entry.urls, entry.weight = None, [], 0

    def forget(self, changes: Collection[Change]) -> None:
        """Drop every answer that these changes put out of date."""
        for change in changes:
            for entry in list(self._by_change.get(change, ())):
                self.drop(entry)

    def doubt(self) -> None:
        """Have every answer checked before it is sent again, also by a look that began before this."""
        self._doubted_at = self.now()

    def take_asked(self) -> set[Entry]:
        """Give the answers that were asked for since the last call."""
        asked, self._asked = self._asked, set()
        return asked
