"""A comment that is changed in the database itself is not as the log says, and is named."""

from typing import Any

import pytest
from sqlmodel import col, update

from service.comments.tables import Comment
from tests.api.moderation.tampering import fill, flaws, tamper
from tests.cast import House


async def change(house: House, was: str, **values: Any) -> None:
    """Change the comments of `blog` that had a status."""

    async def change(session: Any, site_id: Any) -> None:
        chosen = update(Comment).where(col(Comment.site_id) == site_id, col(Comment.status) == was)
        await session.exec(chosen.values(**values))

    await tamper(house, change)


@pytest.mark.parametrize(
    ("status", "values"),
    [
        ("spam", {"status": "approved", "visibility": "visible"}),
        ("approved", {"status": "rejected", "visibility": "hidden"}),
        ("approved", {"version": 7}),
        ("rejected", {"visibility": "visible"}),
        ("rejected", {"reason": "libel"}),
    ],
)
async def test_a_comment_that_is_not_as_it_was_decided_is_named(
    house: House, status: str, values: dict[str, Any]
) -> None:
    await fill(house)
    await change(house, status, **values)
    assert [kind for kind, _ in await flaws(house)] == ["unlogged"]


async def test_a_comment_that_nobody_decided_waits(house: House) -> None:
    await house.submit()
    assert await flaws(house) == []
    await change(house, "pending", status="approved", version=2, visibility="visible")
    assert await flaws(house) == [("unlogged", 0)]


async def test_what_was_edited_undone_and_withdrawn_is_as_the_log_says(house: House) -> None:
    comment = await house.submit()
    await house.edit(comment, "Better.")
    [decided] = await house.decide("spam", comment.id)
    undone = await house.bob.post("/v1/moderation/undo", json={"decisions": [decided.decision]})
    assert undone.json()["results"][0]["outcome"] == "applied"
    await house.withdraw(comment)
    assert await flaws(house) == []


async def test_reasons_are_as_the_log_says(house: House) -> None:
    await house.set("reason.rude=Be polite.")
    comment = await house.submit()
    for _ in range(2):
        [decided] = await house.reject(comment.id, reason="rude")
        assert await flaws(house) == []
        await house.requeue(comment.id)
        assert await flaws(house) == []
    await house.edit(comment, "Better.")
    [decided] = await house.reject(comment.id, reason="rude")
    for _ in range(2):
        undone = await house.bob.post("/v1/moderation/undo", json={"decisions": [decided.decision]})
        assert undone.is_success
        assert await flaws(house) == []
