"""Reads that are under way, each for however many wait for it."""

import asyncio
from collections.abc import Hashable

from service.changes import Change
from service.errors import NotFound
from service.publication.memory import FRESH_SECONDS, NEVER, Entry
from service.publication.standby import Read
from service.sites.directory import KnownSite


class Flight:
    """One read of the answer under a key, with what was heard of since it began.

    It is found by its key and is like no other: two that heard the same are still two.
    """

    __slots__ = ("began_at", "heard", "is_kept", "is_true", "key", "read", "site", "task")

    task: asyncio.Task[Entry]

    def __init__(self, key: Hashable, site: KnownSite, read: Read, is_kept: bool) -> None:
        self.key = key
        self.site = site
        self.read = read
        self.is_kept = is_kept
        self.is_true = False
        """Whether it brought an answer, and nothing was heard meanwhile that would change it."""
        self.began_at = NEVER
        self.heard: set[Change] = set()

    def begin(self, now: float) -> None:
        """Read, for the first time or again: what was heard before is in what is read from now on."""
        self.began_at = now
        self.heard.clear()

    def serves(self, site: KnownSite, asked_at: float) -> bool:
        """Tell whether what has come of it is an answer to who asked about a site at a moment.

        It is if it began after that moment; else it has to be true, and from shortly before. That the
        database does not answer holds for all: nobody should wait for that once more.
        """
        if not isinstance(self.task.exception(), NotFound | None):
            return True
        age = asked_at - self.began_at
        return self.site == site and (age <= 0 or (self.is_true and age < FRESH_SECONDS))
