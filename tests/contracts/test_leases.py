"""One suite for both kinds of leases: on Redis and in the process they count alike."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from service.rate_limiting.fallback import open_limits
from service.rate_limiting.leases import (
    KEY_PREFIX,
    LEASE_SECONDS,
    NO_BOUND,
    NONE,
    InProcessLeases,
    Lease,
    Quota,
    RedisLeases,
    SharedLeases,
    lease_key,
)
from service.telemetry.metrics import Metrics
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


async def take(leases: AnyLeases, lease: Lease, most: int) -> bool:
    [is_taken] = await leases.change([(lease, most)])
    return is_taken


async def renew(leases: AnyLeases, *renewed: Lease) -> None:
    assert await leases.change([(lease, NO_BOUND) for lease in renewed]) == [True] * len(renewed)


async def give_back(leases: AnyLeases, lease: Lease) -> None:
    assert await leases.change([(lease, NONE)]) == [False]


async def test_there_are_so_many_and_no_more_until_one_is_given_back(leases: AnyLeases) -> None:
    assert [await take(leases, lease(n), 3) for n in range(5)] == [True, True, True, False, False]
    assert await take(leases, lease(0, "b"), 3)
    await give_back(leases, lease(4))
    assert not await take(leases, lease(5), 3)
    await give_back(leases, lease(1))
    assert [await take(leases, lease(n), 3) for n in (5, 6)] == [True, False]


async def test_a_lease_ends_by_itself_unless_it_is_renewed(leases: AnyLeases, clock: Clock) -> None:
    for number in range(3):
        await take(leases, lease(number), 3)
    clock.advance(LEASE_SECONDS - 1)
    await renew(leases, lease(0), lease(1))
    assert not await take(leases, lease(3), 3)
    clock.advance(1)
    assert [await take(leases, lease(n), 3) for n in (3, 4)] == [True, False]
    clock.advance(LEASE_SECONDS - 1)
    assert [await take(leases, lease(n), 3) for n in (5, 6, 7)] == [True, True, False]


async def test_a_clock_that_was_ahead_leaves_nothing_open(redis_client: Redis, clock: Clock) -> None:
    """The twin goes by a clock that nobody sets."""
    leases = RedisLeases(redis_client, clock)
    clock.advance(86_400)
    for number in range(3):
        await take(leases, lease(number), 3)
    clock.advance(-86_400)
    assert [await take(leases, lease(n), 3) for n in range(3, 7)] == [True, True, True, False]


async def test_what_was_lost_is_there_again_once_it_is_renewed(leases: AnyLeases) -> None:
    """As after a Redis that was started anew."""
    await renew(leases)
    await renew(leases, lease(0), lease(1), lease(0, "b"), lease(2))
    assert not await take(leases, lease(3), 3)
    assert [await take(leases, lease(n, "b"), 3) for n in (1, 2, 3)] == [True, True, False]


async def test_to_give_back_what_is_not_there_does_nothing(leases: AnyLeases) -> None:
    await give_back(leases, lease(0))
    await take(leases, lease(1), 3)
    for _ in range(2):
        await give_back(leases, lease(1))
    assert [await take(leases, lease(n), 3) for n in range(4)] == [True, True, True, False]


async def test_of_many_at_once_exactly_so_many_are_let_in(leases: AnyLeases) -> None:
    taken = await asyncio.gather(*(take(leases, lease(n), 10) for n in range(100)))
    assert sum(taken) == 10


async def test_wishes_are_done_in_their_order(leases: AnyLeases) -> None:
    wishes = [(lease(0), 1), (lease(1), 1), (lease(0), NONE), (lease(2), 1), (lease(3), NO_BOUND)]
    assert await leases.change(wishes) == [True, False, False, True, True]


async def test_processes_with_one_secret_count_together(redis_url: str) -> None:
    async with opened(redis_url) as one, opened(redis_url) as another:
        shared = [one, another]
        taken = [await shared[n % 2].take(THREE, PREFIX, str(n)) for n in range(6)]
        assert [one is not None for one in taken] == [True, True, True, False, False, False]
        assert taken[1]
        await another.give_back(taken[1])
        assert await one.take(THREE, PREFIX, "again")
        assert await another.take(THREE, "192.0.2.2/32", "another")


async def test_of_many_who_come_and_go_at_once_all_are_counted(redis_url: str) -> None:
    async with opened(redis_url) as one, opened(redis_url) as another:
        most = Quota("streams", 300)
        taken = await asyncio.gather(*(one.take(most, PREFIX, str(n)) for n in range(400)))
        leases = [lease for lease in taken if lease]
        assert len(leases) == 300
        assert await another.take(most, PREFIX, "another") is None
        await asyncio.gather(*(one.give_back(lease) for lease in leases))
        assert await another.take(Quota("streams", 300), PREFIX, "again")


@asynccontextmanager
async def opened(redis_url: str | None) -> AsyncIterator[SharedLeases]:
    # The machine that runs the tests may be busy, and these are not about time.
    async with open_limits(redis_url, b"secret", Metrics(), patience_seconds=30) as (_, leases):
        yield leases


async def test_without_redis_a_process_counts_alone() -> None:
    for url in (None, f"redis://127.0.0.1:{find_free_port()}/0"):
        async with opened(url) as shared:
            taken = [await shared.take(THREE, PREFIX, str(n)) for n in range(4)]
            assert [one is not None for one in taken] == [True, True, True, False]
            assert taken[0]
            await shared.give_back(taken[0])
            assert await shared.take(THREE, PREFIX, "again")


async def test_a_subject_is_kept_as_a_keyed_hash_that_expires(redis_client: Redis) -> None:
    key = lease_key(b"secret", THREE, PREFIX)
    assert PREFIX not in key
    assert key != lease_key(b"another", THREE, PREFIX)
    await take(RedisLeases(redis_client), Lease(key, "one"), 3)
    assert await redis_client.keys("*") == [(KEY_PREFIX + key).encode()]
    assert 0 < await redis_client.ttl(KEY_PREFIX + key) <= LEASE_SECONDS
