"""The limiter on Sentinel and on a cluster: it counts there, and a fail-over passes by itself."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from redis.exceptions import RedisError

from service.changes import Change
from service.publication.cache.channel import Channel
from service.rate_limiting.fallback import Limiter, open_limits
from service.rate_limiting.redis import KEY_PREFIX
from service.rate_limiting.rules import Limit, Rule
from service.redis.client import RedisClient, connect_redis
from service.telemetry.metrics import Metrics
from tests.processes import Server, ServerMissing
from tests.proxies import skip_or_fail
from tests.redis_groups import RedisGroup, start_private_cluster, start_private_sentinel

# A day's limit, so that no window empties while a test runs.
TEN_A_DAY = Rule("ip", Limit(burst=10, period_seconds=86_400), "192.0.2.1/32")
# Never reached unless something hangs.
DEADLINE_SECONDS = 30


@pytest.fixture(params=["sentinel", "cluster"])
def group(request: pytest.FixtureRequest) -> Iterator[RedisGroup]:
    try:
        with start(request.param) as group:
            yield group
    except ServerMissing as error:
        skip_or_fail(error)


def start(kind: str) -> AbstractContextManager[RedisGroup]:
    return start_private_sentinel() if kind == "sentinel" else start_private_cluster(KEY_PREFIX)


@asynccontextmanager
async def limiter_on(group: RedisGroup) -> AsyncIterator[Limiter]:
    async with open_limits(group.url, b"secret", Metrics()) as (limiter, _):
        yield limiter


@pytest.fixture
async def limiter(group: RedisGroup) -> AsyncIterator[Limiter]:
    async with limiter_on(group) as limiter:
        # On a busy machine a Sentinel may take a master for gone at first.
        await until(lambda: not limiter.degraded)
        yield limiter


async def test_two_processes_count_together(group: RedisGroup, limiter: Limiter) -> None:
    async with limiter_on(group) as another:
        verdicts = await asyncio.gather(
            *((limiter, another)[number % 2].charge([TEN_A_DAY]) for number in range(40))
        )
    assert {verdict.taken_by for verdict in verdicts} == {"redis"}
    assert sum(verdict.refused is None for verdict in verdicts) == 10


async def test_a_charge_of_several_rules_is_given_back(limiter: Limiter) -> None:
    rules = [Rule(name, Limit(burst=1, period_seconds=86_400), "x") for name in ("ip", "site")]
    for _ in range(2):
        verdict = await limiter.charge(rules)
        assert (verdict.taken_by, verdict.refused) == ("redis", None)
        await limiter.refund(verdict)


@pytest.mark.parametrize("harm", [Server.kill, Server.freeze])
async def test_a_fail_over_passes_by_itself(group: RedisGroup, limiter: Limiter, harm: Any) -> None:
    assert (await limiter.charge([TEN_A_DAY])).taken_by == "redis"
    harm(group.master)
    # Nothing is refused for want of a Redis, and nobody waits for one.
    async with asyncio.timeout(DEADLINE_SECONDS):
        assert (await limiter.charge([TEN_A_DAY])).refused is None
    assert limiter.degraded
    await until(lambda: group.replica_leads)
    await until(lambda: not limiter.degraded)
    assert (await limiter.charge([TEN_A_DAY])).taken_by == "redis"


async def test_changes_spread_again_after_a_fail_over(group: RedisGroup) -> None:
    heard: list[Change] = []
    teller = Channel(group.url, lambda _: None, lambda: None, Metrics())
    hearer = Channel(group.url, heard.extend, lambda: None, Metrics())
    async with teller.running(), hearer.running():
        await tell_until_heard(teller, heard, Change(uuid4(), "/before"))
        group.master.kill()
        await until(lambda: group.replica_leads)
        await tell_until_heard(teller, heard, Change(uuid4(), "/after"))


async def tell_until_heard(teller: Channel, heard: list[Change], change: Change) -> None:
    """Tell of a change again and again: what is told while there is no master is not heard."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while change not in heard:
            teller.tell([change])
            await asyncio.sleep(0.02)


async def test_who_is_cut_off_subscribes_again_elsewhere(group: RedisGroup) -> None:
    listener = connect_redis(group.url)
    await hear_at_last(group, listener)
    group.master.kill()
    await hear_at_last(group, listener)


async def hear_at_last(group: RedisGroup, listener: RedisClient) -> None:
    """Hear what is published, as soon as there is a master to hear it from."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            try:
                await expect_to_hear(group, listener)
                return
            except RedisError:
                await asyncio.sleep(0.02)


async def expect_to_hear(group: RedisGroup, listener: RedisClient) -> None:
    """Subscribe, publish, and hear it; raises RedisError while there is no master."""
    async with (
        connect_redis(group.url) as client,
        listener,
        listener.pubsub() as channel,
        asyncio.timeout(DEADLINE_SECONDS),
    ):
        await channel.subscribe("changes")
        # Its confirmation: from here on everything is heard.
        await channel.get_message(timeout=DEADLINE_SECONDS)
        await client.execute_command("PUBLISH", "changes", "article")
        message = await channel.get_message(timeout=DEADLINE_SECONDS)
        assert message is not None
        assert message["data"] == b"article"


async def until(condition: Any) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        # Neither Redis nor the limiter has an event to wait for.
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
