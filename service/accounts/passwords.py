"""Passwords: argon2id off the event loop, and never more than two at once."""

import asyncio
import secrets
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from service.errors import Unavailable

P = ParamSpec("P")
R = TypeVar("R")

# OWASP's password storage cheat sheet: 19 MiB, two passes, one lane. 28 ms where the default takes 105.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
MAX_AT_ONCE = 2
MAX_WAITING = 20
MAX_WAIT_SECONDS = 5.0
MIN_PASSWORD_CHARS = 10
MAX_PASSWORD_CHARS = 500


class Passwords:
    """Hashes and checks passwords; further ones wait, and get Unavailable when too many do."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)
        self._waiting = 0
        # Compared with when there is no account, so that an unknown one costs the same.
        self._nobody = _HASHER.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        """Hash a password with argon2id; raises Unavailable."""
        return await self._run(_HASHER.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Check a password against its hash, in the same time when there is none; raises Unavailable."""
        matches = await self._run(_matches, stored or self._nobody, password)
        return matches and stored is not None

    async def _run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        if self._waiting >= MAX_WAITING:
            raise Unavailable("Too many sign-ins at this moment.")
        self._waiting += 1
        try:
            async with asyncio.timeout(MAX_WAIT_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            raise Unavailable("Too many sign-ins at this moment.") from None
        finally:
            self._waiting -= 1
        try:
            return await asyncio.to_thread(work, *args, **kwargs)
        finally:
            self._slots.release()


def _matches(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
