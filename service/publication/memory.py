"""The public answers that a process keeps, found by the URL that asked and bounded in bytes.

There are as many as somebody makes up, so what was asked for once never pushes out what is asked for often:
a new one lies among the new ones, the least used of which go first. From there it comes to those that last
if there is room, or if those in its way are asked for less.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from sys import getsizeof
from uuid import UUID

import msgspec
from litestar.types import HTTPScope

from service.changes import Change
from service.http.kept import Kept
from service.publication.popularity import Popularity
from service.sites.directory import KnownSite

# Nothing older than two seconds may be served; what is this old is checked before it is sent.
FRESH_SECONDS = 1.8
NEVER = float("-inf")
# The part of the room that is for new ones.
NEW_SHARE = 4
# Spellings of one address that are remembered, and how long each may be: others go by the router.
MAX_URLS = 8
MAX_URL_BYTES = 2_048
# What an entry takes beside its bytes: headers, keys, and its places in the tables.
ENTRY_BYTES = 3_000
# What each article that an answer tells of takes beside its name.
ARTICLE_BYTES = 800

Url = tuple[str, bytes]
# An article by its site and key.
ArticleRef = tuple[UUID, str]
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
    def places(self) -> list[ArticleRef]:
        """The articles by site and key."""
        return [(self.site.id, article) for article in self.revisions]

    def holds(self, found: Mapping[ArticleRef, tuple[int, int]]) -> bool:
        """Tell whether the articles are as they were; `found` has revision and count of those there are."""
        return all(
            found.get((self.site.id, article), _NO_ARTICLE)[0] == revision
            for article, revision in self.revisions.items()
        )


class Entry(Kept):
    """A kept answer in its place, with the moment at which it was last known to be true."""

    __slots__ = ("basis", "checked_at", "key", "shelf", "urls", "weight")

    def __init__(self, key: Hashable, body: bytes, basis: Basis, checked_at: float) -> None:
        super().__init__(body)
        self.key = key
        self.basis = basis
        self.checked_at = checked_at
        self.shelf: Shelf | None = None
        # How often each was asked by.
        self.urls: dict[Url, int] = {}
        self.weight = 0


class Shelf(OrderedDict[Hashable, Entry]):
    """Answers by their keys, the least used first, and the room that they have."""

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

    def add(self, entry: Entry) -> None:
        self[entry.key] = entry
        self.bytes += entry.weight
        entry.shelf = self

    def remove(self, entry: Entry) -> None:
        del self[entry.key]
        self.bytes -= entry.weight
        entry.shelf = None


class Memory:
    """All kept answers of a process. `now` gives the seconds of a clock that never goes back."""

    def __init__(self, max_bytes: int, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        new_bytes = max_bytes // NEW_SHARE
        self._lasting = Shelf(max_bytes - new_bytes)
        self._new = Shelf(new_bytes)
        self._popularity = Popularity()
        self._by_url: dict[Url, Entry] = {}
        self._by_change: dict[Change, set[Entry]] = {}
        self._asked: set[Entry] = set()
        # What was dropped before it was counted that it was asked for.
        self._gone: set[Hashable] = set()
        self._doubted_at = NEVER
        self.hits = 0

    def __len__(self) -> int:
        return len(self._lasting) + len(self._new)

    @property
    def bytes(self) -> int:
        return self._lasting.bytes + self._new.bytes

    def find(self, scope: HTTPScope) -> Entry | None:
        """Give the answer to a request that is known by its very URL, if it is fresh."""
        url = (scope["path"], scope["query_string"])
        entry = self._by_url.get(url)
        if entry is None or not self.is_fresh(entry):
            return None
        self.hits += 1
        entry.urls[url] += 1
        self._asked.add(entry)
        if entry.shelf is not None:
            entry.shelf.move_to_end(entry.key)
        return entry

    def recall(self, key: Hashable) -> Entry | None:
        """Give the answer under a key, fresh or not."""
        entry = self._lasting.get(key) or self._new.get(key)
        if entry is not None and entry.shelf is not None:
            self._asked.add(entry)
            entry.shelf.move_to_end(key)
        return entry

    def is_fresh(self, entry: Entry) -> bool:
        """Tell whether an answer was true so short a time ago that it may be sent unchecked."""
        return self._doubted_at < entry.checked_at > self.now() - FRESH_SECONDS

    def keep(self, entry: Entry) -> None:
        """Put an answer under its key, in place of the one before, among the new ones."""
        before = self._lasting.get(entry.key) or self._new.get(entry.key)
        if before is entry:
            # It was only found to be true anew.
            return
        if before is not None:
            self.drop(before)
        self._new.add(entry)
        for change in entry.basis.changes:
            self._by_change.setdefault(change, set()).add(entry)
        self._asked.add(entry)
        self._weigh(entry, self._new)

    def settle(self, scope: HTTPScope, kept: Kept) -> None:
        """Remember the URL of a request that a kept answer has just gone out to by way of the router."""
        # It may have been dropped while it was sent.
        if not isinstance(kept, Entry) or kept.shelf is None:
            return
        url = (scope["path"], scope["query_string"])
        if len(url[0]) + len(url[1]) <= MAX_URL_BYTES:
            self._lead(url, kept)
        kept.has_grown = False
        self._weigh(kept, kept.shelf)

    def _lead(self, url: Url, entry: Entry) -> None:
        """Let a URL lead to an answer, in the place of the one that led there least often."""
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

    def _weigh(self, entry: Entry, shelf: Shelf) -> None:
        """Count what an entry takes by now, and make room until all fit."""
        urls = sum(getsizeof(path) + getsizeof(query) for path, query in entry.urls)
        articles = sum(getsizeof(article) + ARTICLE_BYTES for article in entry.basis.revisions)
        weight = ENTRY_BYTES + entry.size_bytes + urls + articles
        shelf.bytes += weight - entry.weight
        entry.weight = weight
        while self._lasting.is_overfull:
            # It has grown by another coding, and what is pushed out may come back.
            self._move(self._lasting.least_used, self._new)
        while self._new.is_overfull:
            self._let_last(self._new.least_used)

    def _let_last(self, entry: Entry) -> None:
        """Let an answer last that the new ones push out, in place of less popular ones, or drop it."""
        weaker = self._find_weaker(entry)
        if weaker is None:
            self.drop(entry)
            return
        for other in weaker:
            self.drop(other)
        self._move(entry, self._lasting)

    def _find_weaker(self, entry: Entry) -> list[Entry] | None:
        """Give the least used ones in whose place an answer would fit, if it is asked for more than each."""
        missing = self._lasting.bytes + entry.weight - self._lasting.max_bytes
        popularity = self._popularity.of(entry.key)
        weaker: list[Entry] = []
        for other in self._lasting.values():
            if missing <= 0:
                break
            if self._popularity.of(other.key) >= popularity:
                return None
            weaker.append(other)
            missing -= other.weight
        return weaker if missing <= 0 else None

    def _move(self, entry: Entry, shelf: Shelf) -> None:
        if entry.shelf is not None:
            entry.shelf.remove(entry)
        shelf.add(entry)

    def drop(self, entry: Entry) -> None:
        """Forget an answer; whoever was looking meanwhile whether it is true may keep it again."""
        if entry.shelf is None:
            return
        entry.shelf.remove(entry)
        if entry in self._asked:
            self._asked.remove(entry)
            self._gone.add(entry.key)
        for url in entry.urls:
            del self._by_url[url]
        for change in entry.basis.changes:
            entries = self._by_change[change]
            entries.discard(entry)
            if not entries:
                del self._by_change[change]
        entry.urls, entry.weight = {}, 0

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
        gone, self._gone = self._gone, set()
        self.note(gone.difference(entry.key for entry in asked))
        return asked

    def note(self, keys: Iterable[Hashable]) -> None:
        """Count one moment more at which answers were asked for, however often that was."""
        for key in keys:
            self._popularity.note(key)
