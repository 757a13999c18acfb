"""A connection to PostgreSQL that breaks in the middle of a batch costs that batch, and nothing else."""

import asyncio

import psycopg
import pytest

from tests.cast import House
from tests.waiting import find_waiting

pytestmark = pytest.mark.parametrize("furnished", ["postgresql"], indirect=True)


async def test_who_waited_gets_503_and_the_next_batch_is_stored(house: House) -> None:
    url = house.settings.database_url.replace("+psycopg", "")
    await house.submit(text="Before.")
    async with await psycopg.AsyncConnection[tuple[int]].connect(url) as admin:
        await admin.execute("LOCK TABLE status_tally IN EXCLUSIVE MODE")
        cut_off = asyncio.create_task(house.try_submit(text="In the batch that breaks."))
        broken = await find_waiting(admin)
        waits = asyncio.create_task(house.try_submit(text="In the batch after it."))
        await admin.execute("SELECT pg_terminate_backend(%s)", [broken])
        answer = await cut_off
        assert answer.status_code == 503
        assert "retry-after" in answer.headers
    assert (await waits).status_code == 202
    # What was not stored may be sent again: nothing of it was left behind.
    await house.submit(text="In the batch that breaks.")
    rows = (await house.state())["comment"]
    assert sorted(row["text"] for row in rows) == [
        "Before.",
        "In the batch after it.",
        "In the batch that breaks.",
    ]
