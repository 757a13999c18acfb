"""What waits in one kind of work takes nothing from the others."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from tests.cast import SUBMIT, Furnished, House, open_house
from tests.waiting import find_waiting

DEADLINE_SECONDS = 60
# Three times what the moderators' connections are, and then some.
MANY = 60


@pytest.fixture
async def house(furnished: Furnished, furnished_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(furnished, furnished_url, tmp_path / "data", database_patience_seconds=5) as house:
        yield house


async def show_that_the_rest_goes_on(house: House) -> None:
    """Ask for what is not in memory, store a comment, and ask for health and metrics."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        for limit in range(1, 20):
            page = await house.dave.get(SUBMIT, params={"article": "/post", "limit": limit})
            assert page.status_code == 200, page.text
            assert (await house.try_submit()).status_code == 202
        ready = await house.client("127.0.0.1").get("/health/ready")
        assert (ready.status_code, ready.json()["parts"]["database"]) == (200, "ok")
        metrics = (await house.client("127.0.0.1").get("/metrics")).text
        assert "greenroom_database_up 1.0" in metrics
        assert "greenroom_log_length{" in metrics


# On SQLite nothing locks a row.
@pytest.mark.parametrize("furnished", ["postgresql"], indirect=True)
async def test_decisions_behind_a_lock_keep_nobody_else(house: House) -> None:
    taken = await house.publish()
    url = house.settings.database_url.replace("+psycopg", "")
    decision = {"comment": taken.id, "version": 2, "action": "reject"}

    async def decide() -> int:
        answer = await house.bob.post("/v1/moderation/decisions", json={"decisions": [decision]})
        assert answer.status_code == 200 or "retry-after" in answer.headers
        return answer.status_code

    async with await psycopg.AsyncConnection[tuple[int]].connect(url) as admin:
        await admin.execute("SELECT 1 FROM article FOR NO KEY UPDATE")
        waiting = [asyncio.create_task(decide()) for _ in range(MANY)]
        await find_waiting(admin)
        await show_that_the_rest_goes_on(house)
        async with asyncio.timeout(DEADLINE_SECONDS):
            assert {await one for one in waiting} == {503}
    # The connections are there again.
    assert await decide() == 200


@pytest.mark.parametrize("furnished", ["postgresql"], indirect=True)
async def test_a_lock_on_what_the_metrics_read_says_nothing_of_the_database(house: House) -> None:
    local = house.client("127.0.0.1")
    async with await psycopg.AsyncConnection[tuple[int]].connect(
        house.settings.database_url.replace("+psycopg", "")
    ) as admin:
        await admin.execute("LOCK TABLE comment IN ACCESS EXCLUSIVE MODE")
        async with asyncio.timeout(DEADLINE_SECONDS):
            answers = await asyncio.gather(*(local.get("/metrics") for _ in range(3)))
            ready = await local.get("/health/ready")
    for answer in answers:
        assert "greenroom_database_up 1.0" in answer.text
        # It is not known what is pending now; of the logs it is.
        assert "greenroom_comments_pending{" not in answer.text
    assert "greenroom_log_length{" in answers[0].text
    assert ready.json()["parts"]["database"] == "ok"


@pytest.mark.parametrize("furnished", ["postgresql"], indirect=True)
async def test_a_lock_on_one_site_refuses_what_is_stored_in_the_same_batch(house: House) -> None:
    async def submit(site: str) -> int:
        answer = await house.try_submit(site=site)
        assert answer.status_code == 202 or "retry-after" in answer.headers
        return answer.status_code

    await house.publish()
    url = house.settings.database_url.replace("+psycopg", "")
    async with await psycopg.AsyncConnection[tuple[int]].connect(url) as admin:
        await admin.execute("SELECT 1 FROM site WHERE slug = 'blog' FOR UPDATE")
        first = asyncio.create_task(submit("blog"))
        await find_waiting(admin)
        # These wait for the first, and are stored together.
        waiting = [asyncio.create_task(submit(site)) for site in ("blog", "elsewhere") * 3]
        async with asyncio.timeout(DEADLINE_SECONDS):
            assert await first == 503
            page = await house.dave.get(SUBMIT, params={"article": "/post", "limit": 7})
            assert page.status_code == 200
            assert {await one for one in waiting} == {503}
    assert [await submit(site) for site in ("blog", "elsewhere")] == [202, 202]
