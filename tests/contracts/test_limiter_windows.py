"""What each limiter keeps of its subjects, where it keeps it, and for how long."""

import asyncio

from redis.asyncio import Redis
from redis.crc import key_slot

from service.rate_limiting.in_process import InProcessLimiter
from service.rate_limiting.redis import KEY_PREFIX, RedisLimiter
from service.rate_limiting.rules import Limit, Rule
from tests.contracts.clock import Clock

IP = Rule("ip", Limit(burst=3, period_seconds=60), "192.0.2.1/32")
SITE = Rule("site", Limit(burst=5, period_seconds=60), "demo")
FLOOD = Rule("address_flood", Limit(burst=1, period_seconds=60), "demo:ann@example.org", soft=True)
TEN_A_DAY = Limit(burst=10, period_seconds=86_400)


async def passes(limiter: InProcessLimiter, rule: Rule) -> bool:
    return (await limiter.charge([rule])).refused is None


async def all_keys(redis_client: Redis) -> list[bytes]:
    return [key async for key in redis_client.scan_iter() if isinstance(key, bytes)]


async def test_redis_holds_no_subject_in_clear(redis_client: Redis) -> None:
    await RedisLimiter(redis_client, b"secret").charge([IP, SITE, FLOOD])

    keys = await all_keys(redis_client)
    values = [str(await redis_client.get(key)) for key in keys]
    assert len(keys) == 3
    assert all(key.startswith(KEY_PREFIX.encode()) for key in keys)
    for subject in (IP.subject, SITE.subject, FLOOD.subject, "ann@", "example.org"):
        assert not any(subject in text for text in [*map(str, keys), *values])


async def test_all_keys_lie_on_one_node_of_a_cluster(redis_client: Redis) -> None:
    await RedisLimiter(redis_client, b"secret").charge([IP, SITE, FLOOD])

    assert len({key_slot(key) for key in await all_keys(redis_client)}) == 1


async def test_redis_forgets_a_window_once_it_is_empty(redis_client: Redis) -> None:
    limiter = RedisLimiter(redis_client, b"secret")
    await limiter.charge([IP])
    [key] = await all_keys(redis_client)
    # An interval of 20 s, and the rounding to whole milliseconds.
    assert 0 < await redis_client.pttl(key) <= 20_001

    await limiter.charge([Rule("short", Limit(burst=20, period_seconds=1), "x")])
    async with asyncio.timeout(30):
        while await redis_client.dbsize() > 1:
            pass


async def test_a_refund_of_the_only_try_leaves_no_key(redis_client: Redis) -> None:
    limiter = RedisLimiter(redis_client, b"secret")
    await limiter.refund(await limiter.charge([IP, SITE]))

    assert await redis_client.dbsize() == 0


async def test_a_redis_that_forgot_the_script_is_given_it_again(redis_client: Redis) -> None:
    limiter = RedisLimiter(redis_client, b"secret")
    await limiter.charge([IP])
    await redis_client.script_flush()

    assert (await limiter.charge([IP])).refused is None


async def test_in_process_empty_windows_are_dropped_as_new_ones_are_opened(clock: Clock) -> None:
    limiter = InProcessLimiter(b"secret", clock)
    for number in range(5_000):
        await limiter.charge([Rule("ip", Limit(1, 1), f"client {number}")])
        clock.advance(0.01)

    assert len(limiter) <= 200


async def test_a_flood_of_fresh_subjects_lifts_no_limit_in_process(clock: Clock) -> None:
    limiter = InProcessLimiter(b"secret", clock, max_windows=500)
    rule = Rule("ip", TEN_A_DAY, "192.0.2.1/32")
    while await passes(limiter, rule):
        pass
    passed = sum([await passes(limiter, Rule("ip", TEN_A_DAY, str(n))) for n in range(20_000)])

    assert not await passes(limiter, rule)
    assert len(limiter) <= 500 + 256
    # Each window of its own was used once; the shared ones hold a burst each.
    assert passed <= 500 + 256 * 10
