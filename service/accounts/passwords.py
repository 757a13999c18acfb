"""Passwords: argon2id off the event loop, and never more than two at once."""

import asyncio
import secrets
from base64 import b64encode
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

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
        self._nobody = _hash_of_nobody()

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


def _hash_of_nobody() -> str:
    """Make a hash that no password has: checking it takes as long as any, making it takes no time.

    A real one would take 19 MiB at every start, which the process would keep.
    """
    sizes = _HASHER.salt_len, _HASHER.hash_len
    salt, digest = (b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in sizes)
    cost = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${cost}${salt}${digest}"


def _matches(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
