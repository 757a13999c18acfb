"""The limiter that outlives its Redis: while that is missing or slow, this process counts alone."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from service.concurrency.tasks import let_go
from service.rate_limiting.gathering import Gathering
from service.rate_limiting.in_process import InProcessLimiter, monotonic_us
from service.rate_limiting.redis import RedisLimiter
from service.rate_limiting.rules import Limit, Limiter, Rule, Verdict
from service.redis.client import connect_redis
from service.redis.errors import describe_failure
from service.telemetry.metrics import Metrics
from service.telemetry.outages import Outage

T = TypeVar("T")

# A page waits for its limits, so a Redis that is silent for longer is as good as none: what the service does
# where its setting says nothing else.
PATIENCE_SECONDS = 0.25
# In a burst of requests most of the waiting is for those before; this much of it is borne.
QUEUE_SECONDS = 1.0
TICKS = 5
# A loop with nothing else to do is never so late; one that serves a burst comes round this slowly.
LATE_SECONDS = 0.01
# The client's own timers cannot tell them apart, so here they come second, for a loop always busy.
CLIENT_TIMEOUT_SECONDS = 2.0
# Between probes: short enough that limits are common again soon, and long enough to be no burden.
PAUSE_SECONDS = 1.0
# Tries that wait at the same moment go to Redis in one script, which must not keep it from others for long.
MAX_TOGETHER = 50
# A server may answer PING and yet be loading, read-only or unable to run the script.
PROBE = Rule("probe", Limit(burst=1_000, period_seconds=1), subject="")


@asynccontextmanager
async def open_limiter(
    redis_url: str | None,
    secret: bytes,
    metrics: Metrics,
    now_us: Callable[[], int] = monotonic_us,
    *,
    patience_seconds: float = PATIENCE_SECONDS,
) -> AsyncIterator[Limiter]:
    """Give the service's limiter; without a URL it counts for this process alone, by `now_us`.

    Whether Redis is there is known before the first try; `patience_seconds` is how long it may be silent.
    """
    in_process = InProcessLimiter(secret, now_us)
    if redis_url is None:
        yield in_process
        return
    client = connect_redis(redis_url, CLIENT_TIMEOUT_SECONDS)
    try:
        limiter = FallbackLimiter(
            RedisLimiter(client, secret), in_process, metrics, patience_seconds
        )
        async with limiter.running():
            yield limiter
    finally:
        await client.aclose()


class FallbackLimiter:
    """Asks Redis, and its in-process twin once Redis fails or takes longer than patience lasts.

    One task probes Redis all the time, so that its going and coming show without a try. From the first
    failure on no try asks Redis, until a probe gives it back its place. The twin starts empty, so each
    process may let one more burst pass then; a try that took too long may have been counted on Redis as well.
    """

    def __init__(
        self,
        redis: RedisLimiter,
        in_process: InProcessLimiter,
        metrics: Metrics,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._redis = redis
        self._in_process = in_process
        self._metrics = metrics
        self._patience_seconds = patience_seconds
        # Until the first probe nobody knows.
        self._is_away = True
        self._outage = Outage("Redis for limits", "limits count per process")
        self._answers = 0
        self._tries = Gathering(self._charge_all, MAX_TOGETHER)
        self._check: asyncio.Task[None] | None = None

    @property
    def degraded(self) -> bool:
        """Whether the twin answers at present."""
        return self._is_away

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Probe Redis for as long as the block lasts, the first time before it."""
        await self._probe()
        task = asyncio.create_task(self._keep_probing())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def check(self) -> bool:
        """Tell whether the twin answers, having asked Redis now; who asks at the same moment shares that.

        That Redis is back is for the task to find out, in its own time.
        """
        if not self.degraded:
            if self._check is None or self._check.done():
                self._check = asyncio.create_task(self._probe())
                let_go(self._check)
            # Whoever goes away meanwhile does not take the answer from the others.
            await asyncio.wait([self._check])
        return self.degraded

    async def charge(self, rules: Sequence[Rule]) -> Verdict:
        """Count one try under all rules or under none, here if not on Redis."""
        return await self._tries.ask(rules)

    async def _charge_all(self, tries: Sequence[Sequence[Rule]]) -> list[Verdict]:
        if not self.degraded:
            try:
                return await self._ask(self._redis.charge_all(tries))
            # Whatever it is that fails there, a try must still be counted.
            except Exception as error:
                self._give_up(error)
        self._metrics.fallbacks.inc(len(tries))
        return [await self._in_process.charge(rules) for rules in tries]

    async def refund(self, verdict: Verdict) -> None:
        """Give a charge back to the limiter that took it.

        What a missing Redis took is not given back: it wears off by itself.
        """
        if verdict.taken_by == "process":
            await self._in_process.refund(verdict)
        elif not self.degraded:
            try:
                await self._ask(self._redis.refund(verdict))
            # Whatever it is that fails there, the caller has already done its work.
            except Exception as error:
                self._give_up(error)

    async def _ask(self, call: Coroutine[object, object, T]) -> T:
        """Await a call until Redis is silent for longer than patience lasts; then TimeoutError.

        A burst of requests must not take Redis for dead and count for itself. So a tick that is late
        because the event loop is busy does not count, and an answer to somebody else ends a silence.
        """
        task, clock = asyncio.ensure_future(call), asyncio.get_running_loop().time
        waited_seconds = silent_seconds = 0.0
        answers, patience_seconds = self._answers, self._patience_seconds
        # A few looks at the clock tell a slow Redis from a busy event loop well enough.
        tick_seconds = patience_seconds / TICKS
        try:
            while silent_seconds < patience_seconds and waited_seconds < QUEUE_SECONDS:
                started = clock()
                await asyncio.wait([task], timeout=tick_seconds)
                if task.done():
                    result = task.result()
                    self._answers += 1
                    return result
                if answers != self._answers:
                    answers, silent_seconds = self._answers, 0.0
                if clock() - started < tick_seconds + LATE_SECONDS:
                    silent_seconds += tick_seconds
                    waited_seconds += tick_seconds
            raise TimeoutError
        finally:
            task.cancel()
            # It may fail all the same, at the very moment at which it is given up.
            let_go(task)

    def _give_up(self, error: Exception) -> None:
        self._is_away = True
        self._metrics.degraded.set(1)
        self._outage.note(describe_failure(error))

    async def _keep_probing(self) -> None:
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            await self._probe()

    async def _probe(self) -> None:
        try:
            if self._is_away:
                # To its own end first: a client that is cut short does not learn that the node which it
                # asked is gone, and in a cluster would ask no other.
                await self._redis.charge([PROBE])
            await self._ask(self._redis.charge([PROBE]))
        # As in `charge`: no failure of the server's may end the probing.
        except Exception as error:
            self._give_up(error)
        else:
            self._is_away = False
            self._metrics.degraded.set(0)
            self._outage.over()
