"""One suite for both kinds of leases: on Redis and in the process they count alike."""

import asyncio

import pytest
from redis.asyncio import Redis

from service.rate_limiting.leases import (
    KEY_PREFIX,
    LEASE_SECONDS,
    InProcessLeases,
    Lease,
    Quota,
    RedisLeases,
    SharedLeases,
    lease_key,
)
from service.redis.client import connect_redis
from tests.contracts.clock import Clock
from tests.processes import find_free_port

AnyLeases = InProcessLeases | RedisLeases

THREE = Quota("streams", 3)
PREFIX = "192.0.2.1/32"


@pytest.fixture(params=["process", "redis"])
def leases(request: pytest.FixtureRequest, clock: Clock) -> AnyLeases:
    if request.param == "process":
        return InProcessLeases(clock)
    return RedisLeases(request.getfixturevalue("redis_client"), clock)


def lease(number: int, key: str = "a") -> Lease:
    return Lease(key, str(number))


async def test_there_are_so_many_and_no_more_until_one_is_given_back(leases: AnyLeases) -> None:
    assert [await leases.take(lease(n), 3) for n in range(5)] == [True, True, True, False, False]
    assert await leases.take(lease(0, "b"), 3)
    await leases.give_back(lease(4))
    assert not await leases.take(lease(5), 3)
    await leases.give_back(lease(1))
    assert [await leases.take(lease(n), 3) for n in (5, 6)] == [True, False]


async def test_a_lease_ends_by_itself_unless_it_is_renewed(leases: AnyLeases, clock: Clock) -> None:
    for number in range(3):
        await leases.take(lease(number), 3)
    clock.advance(LEASE_SECONDS - 1)
    await leases.renew([lease(0), lease(1)])
    assert not await leases.take(lease(3), 3)
    clock.advance(1)
    assert [await leases.take(lease(n), 3) for n in (3, 4)] == [True, False]
    clock.advance(LEASE_SECONDS - 1)
    assert [await leases.take(lease(n), 3) for n in (5, 6, 7)] == [True, True, False]


async def test_a_clock_that_was_ahead_leaves_nothing_open(
    redis_client: Redis, clock: Clock
) -> None:
    """The twin goes by a clock that nobody sets."""
    leases = RedisLeases(redis_client, clock)
    clock.advance(86_400)
    for number in range(3):
        await leases.take(lease(number), 3)
    clock.advance(-86_400)
    assert [await leases.take(lease(n), 3) for n in range(3, 7)] == [True, True, True, False]


async def test_what_was_lost_is_there_again_once_it_is_renewed(leases: AnyLeases) -> None:
    """As after a Redis that was started anew."""
    await leases.renew([])
    await leases.renew([lease(0), lease(1), lease(0, "b"), lease(2)])
    assert not await leases.take(lease(3), 3)
    assert [await leases.take(lease(n, "b"), 3) for n in (1, 2, 3)] == [True, True, False]


async def test_to_give_back_what_is_not_there_does_nothing(leases: AnyLeases) -> None:
    await leases.give_back(lease(0))
    await leases.take(lease(1), 3)
    for _ in range(2):
        await leases.give_back(lease(1))
    assert [await leases.take(lease(n), 3) for n in range(4)] == [True, True, True, False]


async def test_of_many_at_once_exactly_so_many_are_let_in(leases: AnyLeases) -> None:
    taken = await asyncio.gather(*(leases.take(lease(n), 10) for n in range(100)))
    assert sum(taken) == 10


async def test_processes_with_one_secret_count_together(redis_url: str) -> None:
    shared = [make_shared(redis_url) for _ in range(2)]
    taken = [await shared[n % 2].take(THREE, PREFIX, str(n)) for n in range(6)]
    assert [one is not None for one in taken] == [True, True, True, False, False, False]
    assert taken[1]
    await shared[1].give_back(taken[1])
    assert await shared[0].take(THREE, PREFIX, "again")
    assert await shared[1].take(THREE, "192.0.2.2/32", "another")
    for one in shared:
        await one.close()


def make_shared(redis_url: str) -> SharedLeases:
    # The machine that runs the tests may be busy, and these are not about time.
    return SharedLeases(b"secret", RedisLeases(connect_redis(redis_url, timeout_seconds=30)))


async def test_without_redis_a_process_counts_alone() -> None:
    alone = make_shared(f"redis://127.0.0.1:{find_free_port()}/0")
    for shared in (SharedLeases(b"secret"), alone):
        taken = [await shared.take(THREE, PREFIX, str(n)) for n in range(4)]
        assert [one is not None for one in taken] == [True, True, True, False]
        assert taken[0]
        await shared.give_back(taken[0])
        assert await shared.take(THREE, PREFIX, "again")
        await shared.close()


async def test_a_subject_is_kept_as_a_keyed_hash_that_expires(redis_client: Redis) -> None:
    key = lease_key(b"secret", THREE, PREFIX)
    assert PREFIX not in key
    assert key != lease_key(b"another", THREE, PREFIX)
    await RedisLeases(redis_client).take(Lease(key, "one"), 3)
    assert await redis_client.keys("*") == [(KEY_PREFIX + key).encode()]
    assert 0 < await redis_client.ttl(KEY_PREFIX + key) <= LEASE_SECONDS
