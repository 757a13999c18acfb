"""Liveness and readiness: two words for everybody, the parts for those who run the place."""

import asyncio
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from tests.cast import Furnished, House, open_house

READY = "/health/ready"
LOOPBACK = "127.0.0.1"
# Nothing listens on this port; the kernel refuses at once.
NO_REDIS = "redis://127.0.0.1:1/0"


async def test_live_says_that_the_process_answers(house: House) -> None:
    answer = await house.dave.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


async def test_ready_tells_its_parts_only_to_loopback(house: House) -> None:
    assert (await house.dave.get(READY)).json() == {"status": "ready"}
    for local in (LOOPBACK, "::1"):
        assert (await house.client(local).get(READY)).json() == {
            "status": "ready",
            "parts": {"database": "ok", "redis": "off"},
        }
    # Through a proxy on the same machine everybody comes from loopback.
    proxied = house.client(LOOPBACK, **{"x-forwarded-for": "203.0.113.7"})
    assert "parts" not in (await proxied.get(READY)).json()


async def test_the_metrics_token_shows_the_parts_to_others_too(
    furnished: Furnished, furnished_url: str, tmp_path: Path
) -> None:
    async with open_house(furnished, furnished_url, tmp_path / "data", metrics_token="s3cret") as house:
        right = house.client(authorization="Bearer s3cret")
        assert "parts" in (await right.get(READY)).json()
        assert (await right.get("/metrics")).status_code == 200
        for wrong in ("Bearer s3cre", "Bearer s3cret2", "Bearer", "Basic s3cret", "s3cret", ""):
            client = house.client(authorization=wrong)
            assert "parts" not in (await client.get(READY)).json()
            assert (await client.get("/metrics")).status_code == 404


async def test_without_its_redis_it_is_degraded_and_goes_on_working(
    furnished: Furnished, furnished_url: str, tmp_path: Path
) -> None:
    async with open_house(furnished, furnished_url, tmp_path / "data", redis_url=NO_REDIS) as house:
        await house.set("limit.ip=2/day")
        statuses = [(await house.try_submit()).status_code for _ in range(3)]
        assert statuses == [202, 202, 429]
        answer = await house.client(LOOPBACK).get(READY)
        assert answer.status_code == 200
        assert answer.json()["status"] == "degraded"
        assert answer.json()["parts"]["redis"] == "degraded"
        assert (await house.dave.get(READY)).json() == {"status": "degraded"}
        metrics = (await house.client(LOOPBACK).get("/metrics")).text
        assert "greenroom_rate_limiter_degraded 1.0" in metrics
        assert "greenroom_rate_limiter_fallbacks_total 0.0" not in metrics


async def test_however_many_ask_at_once_each_is_told_how_it_is(house: House) -> None:
    local = house.client(LOOPBACK)

    async def ask_again_and_again() -> set[str]:
        return {(await local.get(READY)).json()["status"] for _ in range(20)}

    assert await asyncio.gather(*(ask_again_and_again() for _ in range(8))) == [{"ready"}] * 8


async def test_a_busy_process_does_not_take_its_own_silence_for_the_database_s(
    house: House,
) -> None:
    probe = house.app.process.services.database.probe
    patience_seconds = 0.5
    asked = asyncio.create_task(probe.state(patience_seconds))
    # It begins, and then nothing else of this process runs for longer than that.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    time.sleep(2 * patience_seconds)  # noqa: ASYNC251 - to hold up the loop is what this is about.
    assert await asked == "ok"


# SQLite has no server that could go away.
@pytest.mark.parametrize("furnished", ["postgresql"], indirect=True)
async def test_without_its_database_it_is_unavailable(house: House, postgres_server: str) -> None:
    shut_out(postgres_server, urlsplit(house.settings.database_url).path.removeprefix("/"))
    answer = await house.client(LOOPBACK).get(READY)
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unavailable",
        "parts": {"database": "unreachable", "redis": "off"},
    }
    assert (await house.dave.get(READY)).json() == {"status": "unavailable"}
    assert (await house.dave.get("/health/live")).status_code == 200
    refused = await house.try_submit()
    assert refused.status_code == 503
    assert refused.json()["type"] == "/problems/unavailable"
    assert refused.headers["retry-after"] == "2"


def shut_out(server_url: str, database: str) -> None:
    """End every connection to a database and let no new one in."""
    close = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(database))
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(close)
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database]
        )
