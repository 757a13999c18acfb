"""Statistics, from counters that are kept and never counted out."""

from collections import Counter
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from service.comments.tables import Comment
from tests.cast import House

pytestmark = pytest.mark.both

STATS = "/v1/moderation/stats"


async def show(client: httpx.AsyncClient, **query: str | int) -> dict[str, Any]:
    answer = await client.get(STATS, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_days_say_what_happened_and_statuses_what_is(house: House) -> None:
    first, second = await house.submit(), await house.submit()
    await house.approve(first.id)
    house.clock.advance(days=1)
    await house.spam(first.id)
    [approved] = await house.approve(second.id)
    await house.bob.post("/v1/moderation/undo", json={"decisions": [approved.decision]})
    await house.withdraw(second)
    stats = await show(house.bob)
    assert {status: n for status, n in stats["statuses"].items() if n} == {
        "spam": 1,
        "withdrawn": 1,
    }
    assert stats["days"] == [
        {"day": "2026-05-01", "events": {"submitted": 2, "approve": 1}},
        {"day": "2026-05-02", "events": {"approve": 1, "spam": 1, "undo": 1, "withdraw": 1}},
    ]
    assert [day["day"] for day in (await show(house.bob, days=1))["days"]] == ["2026-05-02"]


async def test_the_counters_equal_a_count_of_the_rows(house: House) -> None:
    comments = [await house.submit() for _ in range(6)]
    await house.approve(*(one.id for one in comments[:4]))
    await house.spam(comments[0].id)
    await house.requeue(comments[1].id)
    await house.withdraw(comments[2])
    async with house.database.reading() as session:
        counted = Counter((await session.exec(select(col(Comment.status)))).all())
    assert Counter((await show(house.bob))["statuses"]) == counted


async def test_a_site_s_figures_are_its_own(house: House) -> None:
    await house.submit()
    assert (await show(house.vera, site="blog"))["statuses"]["pending"] == 1
    theirs = await show(house.charlie)
    assert theirs["statuses"]["pending"] == 0
    assert theirs["days"] == []
    assert (await house.charlie.get(STATS, params={"site": "blog"})).status_code == 404


async def test_days_are_one_to_a_year(house: House) -> None:
    for wrong in ("0", "367", "x"):
        answer = await house.bob.get(STATS, params={"days": wrong})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["parameter"] == "days"
