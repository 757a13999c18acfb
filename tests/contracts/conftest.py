"""What the suites of the twins share."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from service.redis.client import connect_redis
from tests.contracts.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def redis_client(redis_url: str) -> AsyncIterator[Redis]:
    # The machine that runs the tests may be busy, and these are not about time.
    async with connect_redis(redis_url, timeout_seconds=30) as client:
        assert isinstance(client, Redis)
        yield client
