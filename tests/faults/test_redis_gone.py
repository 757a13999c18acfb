"""Whatever becomes of Redis, tries are counted; and Redis is taken back when it works again."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from service.rate_limiting.breaker import Breaker
from service.rate_limiting.fallback import (
    PROBE,
    Limiter,
    open_limits,
)
from service.rate_limiting.in_process import InProcessLimiter
from service.rate_limiting.redis import RedisLimiter
from service.rate_limiting.rules import Limit, Rule
from service.redis.client import TIMEOUT_SECONDS, connect_redis
from service.telemetry.metrics import Metrics
from tests.processes import Server, find_free_port
from tests.servers import start_private_redis

# A day's limit, so that no window empties while a test runs.
ONE_A_DAY = Rule("ip", Limit(burst=1, period_seconds=86_400), "192.0.2.1/32")
# Never reached unless something hangs.
DEADLINE_SECONDS = 20


@pytest.fixture
def redis() -> Iterator[Server]:
    with start_private_redis() as server:
        yield server


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def limiter(redis: Server, metrics: Metrics) -> AsyncIterator[Limiter]:
    async with open_limits(redis.url, b"secret", metrics) as (limiter, _):
        yield limiter


async def until_taken_back(limiter: Limiter) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        # The limiter has no event to wait for; it would be there for this test alone.
        while limiter.degraded:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def until_given_up(limiter: Limiter) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not limiter.degraded:  # noqa: ASYNC110 - As above.
            await asyncio.sleep(0.01)


async def taken_by(limiter: Limiter, rule: Rule = ONE_A_DAY) -> str:
    async with asyncio.timeout(DEADLINE_SECONDS):
        return (await limiter.charge([rule])).taken_by


def fallbacks(metrics: Metrics) -> int:
    """Read how many tries were counted in the process because Redis did not answer."""
    return int(read(metrics, "greenroom_rate_limiter_fallbacks_total"))


def read(metrics: Metrics, name: str) -> float:
    lines = metrics.render().decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


async def test_redis_counts_while_it_is_there(limiter: Limiter, metrics: Metrics) -> None:
    assert await taken_by(limiter) == "redis"
    assert not limiter.degraded
    assert fallbacks(metrics) == 0


@pytest.mark.parametrize("harm", [Server.kill, Server.freeze])
@pytest.mark.parametrize("was_used", [True, False], ids=["used before", "not used before"])
async def test_without_redis_the_process_counts_alone(
    limiter: Limiter,
    redis: Server,
    metrics: Metrics,
    harm: Callable[[Server], None],
    was_used: bool,
) -> None:
    if was_used:
        await limiter.charge([Rule("other", ONE_A_DAY.limit, "x")])
    harm(redis)

    assert (await limiter.charge([ONE_A_DAY])).refused is None
    assert (await limiter.charge([ONE_A_DAY])).refused is not None
    assert limiter.degraded
    assert fallbacks(metrics) == 2


@pytest.mark.parametrize(("harm", "mend"), [(Server.kill, Server.start), (Server.freeze, Server.thaw)])
async def test_redis_is_taken_back_when_it_is_there_again(
    limiter: Limiter,
    redis: Server,
    metrics: Metrics,
    harm: Callable[[Server], None],
    mend: Callable[[Server], None],
) -> None:
    harm(redis)
    assert await taken_by(limiter) == "process"
    assert read(metrics, "greenroom_rate_limiter_degraded") == 1
    mend(redis)

    await until_taken_back(limiter)
    assert await taken_by(limiter) == "redis"
    assert read(metrics, "greenroom_rate_limiter_degraded") == 0


async def test_it_is_known_without_a_try_whether_redis_is_there(redis: Server, metrics: Metrics) -> None:
    redis.kill()
    async with open_limits(redis.url, b"secret", metrics) as (limiter, _):
        assert limiter.degraded
        redis.start()
        await until_taken_back(limiter)
        redis.freeze()
        await until_given_up(limiter)
        redis.thaw()
        await until_taken_back(limiter)
    assert fallbacks(metrics) == 0


async def test_a_restart_between_two_tries_goes_unnoticed_by_the_caller(
    limiter: Limiter, redis: Server
) -> None:
    await limiter.charge([ONE_A_DAY])
    redis.restart()

    assert (await limiter.charge([ONE_A_DAY])).refused is None


async def test_a_redis_that_may_not_write_is_not_taken_back(limiter: Limiter, redis: Server) -> None:
    async with connect_redis(redis.url, timeout_seconds=DEADLINE_SECONDS) as admin:
        await admin.replicaof("127.0.0.1", find_free_port())
        assert await taken_by(limiter) == "process"
        assert await admin.ping()
        assert limiter.degraded

        await admin.replicaof("NO", "ONE")
        await until_taken_back(limiter)
        assert await taken_by(limiter) == "redis"


async def test_100_tries_in_flight_are_all_counted_when_redis_falls_silent(
    limiter: Limiter, redis: Server, metrics: Metrics
) -> None:
    await taken_by(limiter)
    redis.freeze()
    async with asyncio.timeout(DEADLINE_SECONDS):
        verdicts = await asyncio.gather(*(limiter.charge([ONE_A_DAY]) for _ in range(100)))

    assert sum(verdict.refused is None for verdict in verdicts) == 1
    assert fallbacks(metrics) == 100


async def test_without_a_free_connection_the_process_counts_alone(redis: Server) -> None:
    async with connect_redis(f"{redis.url}?max_connections=1") as client:
        on_redis, metrics = RedisLimiter(client, b"secret"), Metrics()
        breaker = Breaker(lambda: on_redis.charge([PROBE]), metrics, TIMEOUT_SECONDS)
        limiter = Limiter(InProcessLimiter(b"secret"), metrics, on_redis, breaker)
        async with breaker.running():
            async with client.pubsub() as holder:
                await holder.subscribe("anything")
                assert await taken_by(limiter) == "process"

            await until_taken_back(limiter)


async def test_a_busy_event_loop_is_not_taken_for_a_missing_redis(limiter: Limiter, metrics: Metrics) -> None:
    clock = asyncio.get_running_loop().time
    tries = [asyncio.create_task(limiter.charge([ONE_A_DAY])) for _ in range(20)]
    for _ in range(3):
        await asyncio.sleep(0)
        blocked_until = clock() + 2 * TIMEOUT_SECONDS
        while clock() < blocked_until:
            pass
    verdicts = await asyncio.gather(*tries)

    assert sum(verdict.refused is None for verdict in verdicts) == 1
    assert fallbacks(metrics) == 0


async def test_a_refund_goes_to_the_limiter_that_took_the_charge(limiter: Limiter, redis: Server) -> None:
    on_redis = await limiter.charge([ONE_A_DAY])
    redis.freeze()
    here = await limiter.charge([ONE_A_DAY])
    assert [on_redis.taken_by, here.taken_by] == ["redis", "process"]

    await limiter.refund(here)
    await limiter.refund(on_redis)
    assert (await limiter.charge([ONE_A_DAY])).refused is None


async def test_a_refund_that_redis_does_not_take_is_no_error(limiter: Limiter, redis: Server) -> None:
    verdict = await limiter.charge([ONE_A_DAY])
    redis.kill()
    await limiter.refund(verdict)

    assert limiter.degraded


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="silence"),
        pytest.param(b"-LOADING Redis is loading the dataset in memory\r\n", id="loading"),
        pytest.param(b"-ERR Error running script\r\n", id="script fails"),
        pytest.param(b"+OK\r\n", id="another shape"),
        pytest.param(b"*2\r\n:1\r\n:x\r\n", id="no number"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="another protocol"),
    ],
)
async def test_a_server_that_does_not_answer_as_redis_does_is_as_good_as_none(
    answer: bytes,
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with open_limits(f"redis://127.0.0.1:{port}/0", b"secret", Metrics()) as (limiter, _):
            assert await taken_by(limiter) == "process"
            assert limiter.degraded


async def test_what_is_logged_names_neither_subject_nor_server(
    caplog: pytest.LogCaptureFixture,
) -> None:
    url = f"redis://ann:password@127.0.0.1:{find_free_port()}/0"
    with caplog.at_level(logging.DEBUG):
        async with open_limits(url, b"secret", Metrics()) as (limiter, _):
            await limiter.charge([ONE_A_DAY])

    assert "ConnectionError" in caplog.text
    for private in ("ann", "password", "127.0.0.1", "192.0.2.1"):
        assert private not in caplog.text


async def test_without_a_url_nothing_is_degraded(metrics: Metrics) -> None:
    async with open_limits(None, b"secret", metrics) as (limiter, _):
        assert await taken_by(limiter) == "process"
        assert not limiter.degraded
        assert fallbacks(metrics) == 0
