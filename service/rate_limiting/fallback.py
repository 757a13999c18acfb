"""The limiter that outlives its Redis: while that is missing or slow, this process counts alone."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from service.concurrency.batching import Batcher
from service.rate_limiting.breaker import Breaker
from service.rate_limiting.in_process import InProcessLimiter, monotonic_us
from service.rate_limiting.leases import RedisLeases, SharedLeases
from service.rate_limiting.redis import RedisLimiter
from service.rate_limiting.rules import Limit, Rule, Verdict
from service.redis.client import TIMEOUT_SECONDS, connect_redis
from service.telemetry.metrics import Metrics

# The client's own timers cannot tell a slow Redis from a busy process, so they come second.
CLIENT_TIMEOUT_SECONDS = 2.0
# What waits at the same moment goes to Redis in one script, which must not keep it from others for long.
MAX_TOGETHER = 50
# A server may answer PING and yet be loading, read-only or unable to run the script.
PROBE = Rule("probe", Limit(burst=1_000, period_seconds=1), subject="")


class Limiter:
    """Says whether one more try may go on, on Redis or, where that is away or there is none, in the process.

    The twin starts empty, so each process may let one more burst pass when Redis goes; a try that took too
    long may have been counted there as well.
    """

    def __init__(
        self,
        in_process: InProcessLimiter,
        metrics: Metrics,
        redis: RedisLimiter | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        self._in_process = in_process
        self._metrics = metrics
        self._redis = redis
        self._breaker = breaker
        self._tries = Batcher(self._charge_all, MAX_TOGETHER)
        self._refunds = Batcher(self._refund_all, MAX_TOGETHER)

    @property
    def degraded(self) -> bool:
        """Whether tries are counted for this process alone though they should be for all."""
        return self._breaker is not None and self._breaker.is_away

    async def check(self) -> bool:
        """Tell whether the limiter is degraded at this very moment, having asked Redis."""
        return self._breaker is not None and await self._breaker.check()

    async def charge(self, rules: Sequence[Rule]) -> Verdict:
        """Count one try under all rules, or under none if one that is not soft refuses.

        A soft rule that is over is not charged. No two of the rules may be the same.
        """
        charge = self._tries.do if self._redis else self._in_process.charge
        return await charge(rules)

    async def _charge_all(self, tries: Sequence[Sequence[Rule]]) -> list[Verdict]:
        redis, verdicts = self._redis, None
        if redis and self._breaker:
            verdicts = await self._breaker.ask(lambda: redis.charge_all(tries))
        if verdicts is None:
            self._metrics.fallbacks.inc(len(tries))
            verdicts = [await self._in_process.charge(rules) for rules in tries]
        return verdicts

    async def refund(self, verdict: Verdict) -> None:
        """Give back what a verdict charged, once, to the twin that took it, as far as it has not worn off.

        What a missing Redis took is not given back: it wears off by itself.
        """
        if verdict.taken_by == "process":
            await self._in_process.refund(verdict)
        else:
            await self._refunds.do(verdict)

    async def _refund_all(self, verdicts: Sequence[Verdict]) -> Sequence[None]:
        redis = self._redis
        if redis and self._breaker:
            await self._breaker.ask(lambda: redis.refund_all(verdicts))
        return [None] * len(verdicts)


@asynccontextmanager
async def open_limits(
    redis_url: str | None,
    secret: bytes,
    metrics: Metrics,
    now_us: Callable[[], int] = monotonic_us,
    *,
    patience_seconds: float = TIMEOUT_SECONDS,
) -> AsyncIterator[tuple[Limiter, SharedLeases]]:
    """Give what the service limits by; without a URL it counts for this process alone, by `now_us`.

    Whether Redis is there is known before the first try; `patience_seconds` is how long it may be silent.
    """
    in_process = InProcessLimiter(secret, now_us)
    if redis_url is None:
        yield Limiter(in_process, metrics), SharedLeases(secret)
        return
    client = connect_redis(redis_url, CLIENT_TIMEOUT_SECONDS)
    try:
        redis = RedisLimiter(client, secret)
        breaker = Breaker(lambda: redis.charge([PROBE]), metrics, patience_seconds)
        leases = SharedLeases(secret, RedisLeases(client), breaker)
        async with breaker.running():
            yield Limiter(in_process, metrics, redis, breaker), leases
    finally:
        await client.aclose()
