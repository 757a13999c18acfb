"""How many things somebody has open at once: leases, which end by themselves unless they are renewed.

The twins count alike, on Redis for all processes and in this one. `SharedLeases` has both: what this process
has open is known here whatever becomes of Redis.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from typing import TypeVar

import msgspec

from service.rate_limiting.in_process import monotonic_us
from service.rate_limiting.rules import Limit, Rule, subject_key
from service.redis.client import RedisClient, connect_redis
from service.redis.errors import describe_failure
from service.telemetry.outages import Outage

T = TypeVar("T")

# What was open in a process that was killed counts for so long.
LEASE_SECONDS = 60
RENEWAL_SECONDS = 15
# As with the limiter: a Redis that is silent for longer is as good as none, and left alone for a while.
PATIENCE_SECONDS = 0.25
REST_SECONDS = 1.0
# Leases that are renewed in one call.
MAX_TOGETHER = 100
# On a cluster all keys of a call must lie on one node.
KEY_PREFIX = "{greenroom}:open:"

# KEYS: the subject's. ARGV: the time in milliseconds or nothing; the lease's length; how many there may be;
# the lease. Answers 1 if it is taken.
TAKE_LUA = """
local time = redis.call('TIME')
local now = tonumber(ARGV[1]) or time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
-- Taken while the clock was ahead.
redis.call('ZREMRANGEBYSCORE', KEYS[1], string.format('(%.0f', now + ARGV[2]), '+inf')
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""
# The same for many: KEYS are those of the leases behind the first two ARGV. One that is lost is there again.
RENEW_LUA = """
local time = redis.call('TIME')
local now = tonumber(ARGV[1]) or time[1] * 1000 + math.floor(time[2] / 1000)
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, string.format('%.0f', now + ARGV[2]), ARGV[i + 2])
  redis.call('PEXPIRE', key, ARGV[2])
end
"""


class Quota(msgspec.Struct, frozen=True):
    """How many things of a kind one subject may have open at once."""

    name: str
    most: int

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a 429, as of a limit's Refusal; here the quota is not one of a time."""
        return {
            "Retry-After": str(RENEWAL_SECONDS),
            "RateLimit-Policy": f'"{self.name}";q={self.most};qu="concurrent-requests"',
            "RateLimit": f'"{self.name}";r=0;t={RENEWAL_SECONDS}',
        }


class Lease(msgspec.Struct, frozen=True):
    """One thing that is open; `key` names whose it is by a keyed hash, `id` is unique."""

    key: str
    id: str


def lease_key(secret: bytes, quota: Quota, subject: str) -> str:
    """Name the leases of a subject, as `subject_key` does the window of a rule."""
    return subject_key(secret, Rule(quota.name, Limit(quota.most, LEASE_SECONDS), subject))


class InProcessLeases:
    """Counts in memory; nothing here awaits, so each call is atomic."""

    def __init__(self, now_us: Callable[[], int] = monotonic_us) -> None:
        self._now_us = now_us
        self._ends_us: dict[str, dict[str, int]] = {}

    async def take(self, lease: Lease, most: int) -> bool:
        """Open a lease if there are fewer than `most` under its key."""
        now_us = self._now_us()
        ends_us = {
            one: end for one, end in self._ends_us.get(lease.key, {}).items() if end > now_us
        }
        is_free = len(ends_us) < most
        if is_free:
            ends_us[lease.id] = now_us + LEASE_SECONDS * 1_000_000
        self._ends_us[lease.key] = ends_us
        return is_free

    async def renew(self, leases: Collection[Lease]) -> None:
        """Let leases last from now on, also those that have ended."""
        for lease in leases:
            end_us = self._now_us() + LEASE_SECONDS * 1_000_000
            self._ends_us.setdefault(lease.key, {})[lease.id] = end_us

    async def give_back(self, lease: Lease) -> None:
        """End a lease."""
        ends_us = self._ends_us.get(lease.key, {})
        ends_us.pop(lease.id, None)
        if not ends_us:
            self._ends_us.pop(lease.key, None)


class RedisLeases:
    """Counts on Redis for every process; `now_us` replaces its clock."""

    def __init__(self, client: RedisClient, now_us: Callable[[], int] | None = None) -> None:
        self._client = client
        self._now_us = now_us
        self._take = client.register_script(TAKE_LUA)
        self._renew = client.register_script(RENEW_LUA)

    async def take(self, lease: Lease, most: int) -> bool:
        """Open a lease if there are fewer than `most` under its key."""
        args = [self._time(), LEASE_SECONDS * 1_000, most, lease.id]
        return bool(await self._take([KEY_PREFIX + lease.key], args))

    async def renew(self, leases: Collection[Lease]) -> None:
        """Let leases last from now on, also those that have ended."""
        if leases:
            keys = [KEY_PREFIX + lease.key for lease in leases]
            ids = [lease.id for lease in leases]
            await self._renew(keys, [self._time(), LEASE_SECONDS * 1_000, *ids])

    async def give_back(self, lease: Lease) -> None:
        """End a lease."""
        await self._client.zrem(KEY_PREFIX + lease.key, lease.id)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _time(self) -> str | int:
        return "" if self._now_us is None else self._now_us() // 1_000


class SharedLeases:
    """Counts in this process and, where there is a Redis that answers, for all of them."""

    def __init__(
        self,
        secret: bytes,
        redis: RedisLeases | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._secret = secret
        self._here = InProcessLeases()
        self._redis = redis
        self._patience_seconds = patience_seconds
        self._open: set[Lease] = set()
        self._rests_until = 0.0
        self._outage = Outage("Redis for what is open", "streams count per process")

    async def take(self, quota: Quota, subject: str, name: str) -> Lease | None:
        """Open a lease of this unique name, or give None if there are as many as may be."""
        lease = Lease(lease_key(self._secret, quota, subject), name)
        if not await self._here.take(lease, quota.most):
            return None
        self._open.add(lease)
        try:
            is_free = await self._ask(lambda redis: redis.take(lease, quota.most))
        except BaseException:
            await self.give_back(lease)
            raise
        if is_free is False:
            await self.give_back(lease)
            return None
        return lease

    async def give_back(self, lease: Lease) -> None:
        """End a lease."""
        self._open.discard(lease)
        await self._here.give_back(lease)
        await self._ask(lambda redis: redis.give_back(lease))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Renew what is open for as long as the block lasts."""
        task = asyncio.create_task(self._keep_renewing())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def close(self) -> None:
        """Close the connections."""
        if self._redis is not None:
            await self._redis.close()

    async def _keep_renewing(self) -> None:
        while True:
            await asyncio.sleep(RENEWAL_SECONDS)
            leases = list(self._open)
            for start in range(0, len(leases), MAX_TOGETHER):
                # Those that have been given back meanwhile must not come to life again.
                chunk = [one for one in leases[start : start + MAX_TOGETHER] if one in self._open]
                await self._renew(chunk)

    async def _renew(self, leases: Collection[Lease]) -> None:
        await self._here.renew(leases)
        await self._ask(lambda redis: redis.renew(leases))

    async def _ask(self, call: Callable[[RedisLeases], Awaitable[T]]) -> T | None:
        """Ask Redis; None if there is none, or it does not answer."""
        if self._redis is None or time.monotonic() < self._rests_until:
            return None
        try:
            async with asyncio.timeout(self._patience_seconds):
                answer = await call(self._redis)
        # Whatever it is that fails there, the process counts for itself.
        except Exception as error:
            self._rests_until = time.monotonic() + REST_SECONDS
            self._outage.note(describe_failure(error))
            return None
        self._outage.over()
        return answer


def build_leases(
    redis_url: str | None, secret: bytes, patience_seconds: float = PATIENCE_SECONDS
) -> SharedLeases:
    """Make the service's leases; without a URL they count for this process alone."""
    if redis_url is None:
        return SharedLeases(secret)
    redis = RedisLeases(connect_redis(redis_url, patience_seconds))
    return SharedLeases(secret, redis, patience_seconds)
