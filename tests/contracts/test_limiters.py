"""One suite for both limiters: on Redis and in the process they decide the same."""

import asyncio
import secrets

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from service.rate_limiting.in_process import InProcessLimiter
from service.rate_limiting.redis import RedisLimiter
from service.rate_limiting.rules import Limit, Refusal, Rule, Verdict
from service.redis.client import connect_redis
from tests.contracts.clock import Clock

AnyLimiter = InProcessLimiter | RedisLimiter

THREE_A_MINUTE = Limit(burst=3, period_seconds=60)
TEN_A_DAY = Limit(burst=10, period_seconds=86_400)
IP = Rule("ip", THREE_A_MINUTE, "192.0.2.1/32")
SITE = Rule("site", Limit(burst=5, period_seconds=60), "demo")
SITE_WIDE = Rule("site", Limit(burst=1_000, period_seconds=60), "demo")
FLOOD = Rule("address_flood", Limit(burst=1, period_seconds=60), "demo:ann@example.org", soft=True)


@pytest.fixture(params=["process", "redis"])
def limiter(request: pytest.FixtureRequest, clock: Clock) -> AnyLimiter:
    if request.param == "process":
        return InProcessLimiter(b"secret", clock)
    return RedisLimiter(request.getfixturevalue("redis_client"), b"secret", clock)


async def passes(limiter: AnyLimiter, *rules: Rule) -> bool:
    return (await limiter.charge(rules)).refused is None


async def test_a_burst_passes_then_one_every_interval(limiter: AnyLimiter, clock: Clock) -> None:
    assert [await passes(limiter, IP) for _ in range(4)] == [True, True, True, False]

    clock.advance(19.999999)
    assert not await passes(limiter, IP)
    clock.advance(0.000001)
    assert [await passes(limiter, IP) for _ in range(2)] == [True, False]


async def test_a_refusal_says_how_long_to_wait(limiter: AnyLimiter, clock: Clock) -> None:
    for _ in range(3):
        await limiter.charge([IP])
    clock.advance(4.5)

    refused = (await limiter.charge([IP])).refused
    assert refused == Refusal("ip", THREE_A_MINUTE, retry_after_seconds=16)
    clock.advance(refused.retry_after_seconds)
    assert await passes(limiter, IP)


async def test_without_rules_everything_passes(limiter: AnyLimiter) -> None:
    verdict = await limiter.charge([])
    await limiter.refund(verdict)

    assert verdict.refused is None
    assert not verdict.charges


async def test_a_refused_try_spends_no_other_rules_budget(limiter: AnyLimiter) -> None:
    for _ in range(3):
        await limiter.charge([SITE, IP])
    for _ in range(9):
        assert not await passes(limiter, SITE, IP)

    assert [await passes(limiter, SITE) for _ in range(3)] == [True, True, False]


async def test_a_refused_try_does_not_prolong_the_wait(limiter: AnyLimiter, clock: Clock) -> None:
    for _ in range(50):
        await limiter.charge([IP])
    clock.advance(20)

    assert await passes(limiter, IP)


async def test_a_soft_rule_is_reported_and_lets_pass(limiter: AnyLimiter) -> None:
    verdicts = [await limiter.charge([FLOOD, IP]) for _ in range(4)]

    assert [verdict.over for verdict in verdicts] == [frozenset(), *[{"address_flood"}] * 3]
    assert [verdict.refused and verdict.refused.rule for verdict in verdicts] == [
        *[None] * 3,
        "ip",
    ]


async def test_over_a_soft_rule_only_the_others_are_charged(limiter: AnyLimiter, clock: Clock) -> None:
    for _ in range(3):
        await limiter.charge([FLOOD, IP])

    assert not await passes(limiter, IP)
    clock.advance(60)
    assert (await limiter.charge([FLOOD])).over == frozenset()


async def test_a_refusal_charges_no_soft_rule(limiter: AnyLimiter) -> None:
    for _ in range(3):
        await limiter.charge([IP])
    await limiter.charge([FLOOD, IP])

    assert (await limiter.charge([FLOOD])).over == frozenset()


async def test_a_refund_lets_another_try_pass(limiter: AnyLimiter) -> None:
    verdicts = [await limiter.charge([IP, SITE]) for _ in range(3)]
    await limiter.refund(verdicts[0])

    assert [await passes(limiter, IP, SITE) for _ in range(2)] == [True, False]


async def test_a_refund_never_makes_room_beyond_the_burst(limiter: AnyLimiter, clock: Clock) -> None:
    worn_off = await limiter.charge([IP])
    clock.advance(20)
    for _ in range(3):
        await limiter.charge([IP])
    await limiter.refund(worn_off)

    assert not await passes(limiter, IP)


async def test_a_refund_to_an_empty_window_leaves_it_empty(limiter: AnyLimiter, clock: Clock) -> None:
    verdict = await limiter.charge([IP])
    clock.advance(60)
    await limiter.refund(verdict)

    assert [await passes(limiter, IP) for _ in range(4)] == [True, True, True, False]


async def test_a_refund_of_a_refusal_gives_nothing(limiter: AnyLimiter) -> None:
    for _ in range(3):
        await limiter.charge([IP])
    await limiter.refund(await limiter.charge([IP, SITE]))

    assert not await passes(limiter, IP)


async def test_a_changed_limit_starts_with_an_empty_window(limiter: AnyLimiter) -> None:
    for _ in range(3):
        await limiter.charge([IP])

    assert await passes(limiter, Rule(IP.name, Limit(burst=4, period_seconds=60), IP.subject))


async def test_of_200_tries_at_once_exactly_the_burst_passes(limiter: AnyLimiter) -> None:
    rule = Rule("ip", TEN_A_DAY, "192.0.2.1/32")
    verdicts = await asyncio.gather(*(limiter.charge([rule, SITE_WIDE]) for _ in range(200)))

    assert sum(verdict.refused is None for verdict in verdicts) == 10


rules = st.builds(
    Rule,
    name=st.sampled_from(["ip", "address", "site"]),
    limit=st.builds(Limit, st.integers(1, 4), st.sampled_from([1, 7, 60])),
    subject=st.sampled_from(["a", "b"]),
    soft=st.booleans(),
)
# A charge under some rules, a refund of one of the verdicts so far, or time that goes by.
operations = st.lists(
    st.lists(rules, max_size=4, unique_by=lambda rule: rule.name) | st.integers(0, 30) | st.floats(0, 20),
    max_size=30,
)


async def run(limiter: AnyLimiter, clock: Clock, steps: list[list[Rule] | int | float]) -> list[Verdict]:
    verdicts: list[Verdict] = []
    for step in steps:
        if isinstance(step, list):
            verdicts.append(await limiter.charge(step))
        elif isinstance(step, float):
            clock.advance(step)
        elif step < len(verdicts):
            await limiter.refund(verdicts[step])
    return verdicts


def describe(verdict: Verdict) -> tuple[object, ...]:
    charges = [(charge.interval_us, charge.empty_at_us) for charge in verdict.charges]
    return verdict.refused, verdict.over, charges


# Each example has a secret, and so windows, of its own; how long it takes is not the question.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=operations)
async def test_both_decide_the_same_whatever_happens(
    redis_client: Redis, steps: list[list[Rule] | int | float]
) -> None:
    secret = secrets.token_bytes(16)
    ours, theirs = Clock(), Clock()
    in_process = await run(InProcessLimiter(secret, ours), ours, steps)
    on_redis = await run(RedisLimiter(redis_client, secret, theirs), theirs, steps)

    assert [describe(verdict) for verdict in in_process] == [describe(v) for v in on_redis]


# As above. The first burst of tries is counted in one call, the second one by one.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tries=st.lists(st.lists(rules, max_size=4, unique_by=lambda rule: rule.name), max_size=12))
async def test_tries_that_are_sent_together_are_decided_as_one_after_the_other(
    redis_client: Redis, tries: list[list[Rule]]
) -> None:
    clock = Clock()
    limiters = [RedisLimiter(redis_client, secrets.token_bytes(16), clock) for _ in range(2)]
    together = await limiters[0].charge_all(tries)
    apart = [await limiters[1].charge(one) for one in tries]

    assert [describe(verdict) for verdict in together] == [describe(verdict) for verdict in apart]


async def test_refunds_that_are_sent_together_give_back_as_much_as_one_after_the_other(
    redis_client: Redis, clock: Clock
) -> None:
    limiter = RedisLimiter(redis_client, b"secret", clock)
    verdicts = [await limiter.charge([IP, SITE]) for _ in range(3)]
    await limiter.refund_all(verdicts[:2])

    assert [await passes(limiter, IP, SITE) for _ in range(3)] == [True, True, False]


async def test_processes_with_one_secret_share_their_limits(redis_client: Redis, redis_url: str) -> None:
    rule = Rule("ip", TEN_A_DAY, "192.0.2.1/32")
    async with connect_redis(redis_url, timeout_seconds=30) as another:
        limiters = [RedisLimiter(redis_client, b"secret"), RedisLimiter(another, b"secret")]
        verdicts = await asyncio.gather(*(limiters[i % 2].charge([rule]) for i in range(60)))

    assert sum(verdict.refused is None for verdict in verdicts) == 10
