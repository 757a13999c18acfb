"""A service whose Redis goes and comes: readiness says so without a request, and the log says little."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.keyboard import type_command
from tests.processes import Server, wait_until
from tests.servers import start_private_redis, start_service

pytestmark = pytest.mark.more

SIGN_IN = {"email": "nobody@mail.example", "password": "correct horse battery"}
# The limiter and the channel, each of which has something to say of its own.
PARTS = 2


@pytest.fixture
def redis() -> Iterator[Server]:
    """Give a Redis that is not there yet."""
    with start_private_redis() as server:
        server.kill()
        yield server


def test_redis_goes_and_comes(tmp_path: Path, redis: Server) -> None:
    assert type_command(tmp_path, {}, "migrate").exit_code == 0
    with start_service(tmp_path, {"GREENROOM_REDIS_URL": redis.url}) as service:
        assert redis_is(service, "degraded")()
        redis.start()
        wait_until(redis_is(service, "ok"), "Redis to be there for the first time")
        for harm, mend in ((Server.freeze, Server.thaw), (Server.stop, Server.start)):
            with ThreadPoolExecutor(8) as clients:
                # Some of them wait for Redis at the moment at which it goes.
                asked = [clients.submit(try_to_sign_in, service) for _ in range(24)]
                harm(redis)
            assert {one.result() for one in asked} <= {401, 429}
            wait_until(redis_is(service, "degraded"), "Redis to be missed")
            mend(redis)
            wait_until(redis_is(service, "ok"), "Redis to be back")
    log = service.log_text()
    assert "never retrieved" not in log
    assert "Traceback" not in log
    first, *others = (json.loads(line) for line in log.splitlines())
    assert first["redis"].endswith(", not reached (ConnectionError: Connection refused)")
    told = [line["error"] for line in others if line["event"].endswith("is away")]
    assert told[0] == "ConnectionError: Connection refused"
    levels = Counter(json.loads(line)["level"] for line in log.splitlines())
    # Its first going and coming; the others came within a minute of those.
    assert 2 <= levels["warning"] <= 2 * PARTS
    assert levels["error"] == 0


@pytest.mark.parametrize("harm", [Server.stop, Server.kill, Server.freeze])
@pytest.mark.parametrize("workers", [1, 2])
def test_the_first_who_asks_is_told_that_redis_is_gone(
    tmp_path: Path, redis: Server, harm: Callable[[Server], None], workers: int
) -> None:
    assert type_command(tmp_path, {}, "migrate").exit_code == 0
    redis.start()
    options = ["--workers", str(workers)]
    with start_service(tmp_path, {"GREENROOM_REDIS_URL": redis.url}, *options) as service:
        wait_until(redis_is(service, "ok"), "Redis to be there")
        harm(redis)
        # Nothing else has used Redis since. Each asks on a connection of its own, so whichever worker it is.
        assert [redis_is(service, "degraded")() for _ in range(8)] == [True] * 8
        if harm is Server.freeze:
            redis.thaw()
        else:
            redis.start()
        wait_until(lambda: all(redis_is(service, "ok")() for _ in range(8)), "Redis to be back")


def try_to_sign_in(service: Server) -> int:
    answer = httpx.post(f"{service.url}/v1/session", json=SIGN_IN, trust_env=False, timeout=30)
    return answer.status_code


def redis_is(service: Server, state: str) -> Callable[[], bool]:
    def is_so() -> bool:
        answer = httpx.get(f"{service.url}/health/ready", trust_env=False)
        is_degraded = answer.json()["status"] == "degraded"
        return bool(answer.json()["parts"]["redis"] == state and is_degraded == (state == "degraded"))

    return is_so
