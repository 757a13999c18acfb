"""How many things somebody has open at once: leases, which end by themselves unless they are renewed.

The twins count alike, on Redis for all processes and in this one. `SharedLeases` has both: what this process
has open is known here whatever becomes of Redis.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

import msgspec

from service.concurrency.batching import Batcher
from service.concurrency.tasks import running_beside
from service.rate_limiting.breaker import Breaker
from service.rate_limiting.in_process import monotonic_us
from service.rate_limiting.rules import Limit, Rule, subject_key
from service.redis.client import RedisClient

# What was open in a process that was killed counts for so long.
LEASE_SECONDS = 60
RENEWAL_SECONDS = 15
# Leases that are taken, renewed or given back in one call.
MAX_TOGETHER = 100
# On a cluster all keys of a call must lie on one node.
KEY_PREFIX = "{greenroom}:open:"

# KEYS: each the subject's of a lease. ARGV: the time in milliseconds or nothing; how long leases last; then
# for each key the lease, and how many there may be. Answers 1 for each that is taken, else 0.
CHANGE_LUA = """
local time = redis.call('TIME')
local now = tonumber(ARGV[1]) or time[1] * 1000 + math.floor(time[2] / 1000)
local ends, answer = string.format('%.0f', now + ARGV[2]), {}
for i, key in ipairs(KEYS) do
  local lease, most = ARGV[2 * i + 1], tonumber(ARGV[2 * i + 2])
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now))
  -- Taken while the clock was ahead.
  redis.call('ZREMRANGEBYSCORE', key, '(' .. ends, '+inf')
  if most == 0 then redis.call('ZREM', key, lease) end
  answer[i] = redis.call('ZCARD', key) < most and 1 or 0
  if answer[i] == 1 then
    redis.call('ZADD', key, ends, lease)
    redis.call('PEXPIRE', key, ARGV[2])
  end
end
return answer
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


# A lease, and how many there may be under its key with it: it is taken if there are fewer. NONE gives it
# back; NO_BOUND renews it, also when it has ended: it is the greatest whole number that Lua knows exactly.
Wish = tuple[Lease, int]
NONE, NO_BOUND = 0, 1 << 53


def lease_key(secret: bytes, quota: Quota, subject: str) -> str:
    """Name the leases of a subject, as `subject_key` does the window of a rule."""
    return subject_key(secret, Rule(quota.name, Limit(quota.most, LEASE_SECONDS), subject))


class InProcessLeases:
    """Counts in memory; nothing here awaits, so each call is atomic."""

    def __init__(self, now_us: Callable[[], int] = monotonic_us) -> None:
        self._now_us = now_us
        self._ends_us: dict[str, dict[str, int]] = {}

    async def change(self, wishes: Sequence[Wish]) -> list[bool]:
        """Do what is wished, one after the other; tell for each lease whether it is taken."""
        return [self._change(lease, most, self._now_us()) for lease, most in wishes]

    def _change(self, lease: Lease, most: int, now_us: int) -> bool:
        open_ = self._ends_us.pop(lease.key, {})
        ends_us = {one: end for one, end in open_.items() if end > now_us}
        if most == NONE:
            ends_us.pop(lease.id, None)
        is_taken = len(ends_us) < most
        if is_taken:
            ends_us[lease.id] = now_us + LEASE_SECONDS * 1_000_000
        if ends_us:
            self._ends_us[lease.key] = ends_us
        return is_taken


class RedisLeases:
    """Counts on Redis for every process; `now_us` replaces its clock."""

    def __init__(self, client: RedisClient, now_us: Callable[[], int] | None = None) -> None:
        self._now_us = now_us
        self._change = client.register_script(CHANGE_LUA)

    async def change(self, wishes: Sequence[Wish]) -> list[bool]:
        """Do what is wished, one after the other, in one round trip."""
        now_ms = "" if self._now_us is None else self._now_us() // 1_000
        args: list[str | int] = [now_ms, LEASE_SECONDS * 1_000]
        for lease, most in wishes:
            args += lease.id, most
        keys = [KEY_PREFIX + lease.key for lease, _ in wishes]
        return msgspec.convert(await self._change(keys, args), list[bool], strict=False)


class SharedLeases:
    """Counts in this process and, where there is a Redis that answers, for all of them."""

    def __init__(
        self, secret: bytes, redis: RedisLeases | None = None, breaker: Breaker | None = None
    ) -> None:
        self._secret = secret
        self._here = InProcessLeases()
        self._redis = redis
        self._breaker = breaker
        self._asked = Batcher(self._ask, MAX_TOGETHER)
        self._open: set[Lease] = set()

    async def take(self, quota: Quota, subject: str, name: str) -> Lease | None:
        """Open a lease of this unique name, or give None if there are as many as may be."""
        lease = Lease(lease_key(self._secret, quota, subject), name)
        if not all(await self._here.change([(lease, quota.most)])):
            return None
        self._open.add(lease)
        is_taken = False
        try:
            is_taken = await self._asked.do((lease, quota.most))
        finally:
            if not is_taken:
                await self.give_back(lease)
        return lease if is_taken else None

    async def give_back(self, lease: Lease) -> None:
        """End a lease."""
        self._open.discard(lease)
        await self._here.change([(lease, NONE)])
        await self._asked.do((lease, NONE))

    def running(self) -> AbstractAsyncContextManager[None]:
        """Renew what is open for as long as the block lasts."""
        return running_beside(self._keep_renewing())

    async def _keep_renewing(self) -> None:
        while True:
            await asyncio.sleep(RENEWAL_SECONDS)
            leases = list(self._open)
            for start in range(0, len(leases), MAX_TOGETHER):
                # Those that have been given back meanwhile must not come to life again.
                chunk = [one for one in leases[start : start + MAX_TOGETHER] if one in self._open]
                wishes = [(lease, NO_BOUND) for lease in chunk]
                await self._here.change(wishes)
                await self._ask(wishes)

    async def _ask(self, wishes: Sequence[Wish]) -> Sequence[bool]:
        """Have Redis do what is wished; without one that answers all is taken that is taken here."""
        redis, answer = self._redis, None
        if redis and self._breaker and wishes:
            answer = await self._breaker.ask(lambda: redis.change(wishes))
        return [True] * len(wishes) if answer is None else answer
