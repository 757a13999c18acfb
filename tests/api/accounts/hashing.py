"""The password hasher with a counter on it: nothing is replaced, each hash is made for real."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from argon2 import PasswordHasher


class CountingHasher(PasswordHasher):
    """Notes how many passwords were hashed or checked, and how many at the same time."""

    def __init__(self, like: PasswordHasher) -> None:
        super().__init__(like.time_cost, like.memory_cost, like.parallelism)
        self._lock = threading.Lock()
        self._running = 0
        self.made = 0
        self.most_at_once = 0

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        with self._counting():
            return super().hash(password, salt=salt)

    # The name `hash` is the library's.
    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
        with self._counting():
            return super().verify(hash, password)

    @contextmanager
    def _counting(self) -> Iterator[None]:
        with self._lock:
            self.made += 1
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
