"""Undo and corrections: what changed no status has none to put back, and what was dropped stays away."""

from typing import Any

import pytest
from sqlmodel import select

from service.comments.tables import Comment
from tests.api.moderation.editing import decide, publish_edited, shown
from tests.cast import House


async def undo(house: House, decision: str) -> dict[str, Any]:
    answer = await house.bob.post("/v1/moderation/undo", json={"decisions": [decision]})
    result: dict[str, Any] = answer.json()["results"][0]
    return result


@pytest.mark.parametrize("action", ["approve", "reject"])
async def test_a_decision_about_an_edit_cannot_be_undone(house: House, action: str) -> None:
    taken = await publish_edited(house)
    [decided] = await decide(house, action, 3, taken)
    async with house.nothing_changes():
        result = await undo(house, decided["decision"])
    assert (result["outcome"], result["status"], result["version"]) == ("illegal", "approved", 4)


async def test_an_undone_requeue_publishes_the_text_from_before(house: House) -> None:
    taken = await publish_edited(house)
    [requeued] = await decide(house, "requeue", 3, taken)
    assert (await undo(house, requeued["decision"]))["status"] == "approved"
    assert await shown(house) == [("<p>Old.</p>", False)]
    assert (await house.look(taken.id)).edit is True


async def test_an_undone_spam_brings_the_comment_back_without_the_edit(house: House) -> None:
    taken = await publish_edited(house)
    [called_spam] = await decide(house, "spam", 3, taken)
    assert (await undo(house, called_spam["decision"]))["status"] == "approved"
    assert await shown(house) == [("<p>Old.</p>", False)]
    assert (await house.look(taken.id)).edit is False


async def test_an_undo_finds_the_reason_of_the_status_and_not_of_the_edit(house: House) -> None:
    taken = await house.submit()
    await house.reject(taken.id, reason="abusive")
    await house.approve(taken.id)
    await house.edit(taken, "Better.")
    await decide(house, "reject", 4, taken, reason="off_topic")
    [called_spam] = await decide(house, "spam", 5, taken)
    await undo(house, called_spam["decision"])
    # No answer tells the reason of an approval; the row is where it would show.
    async with house.database.reading() as session:
        assert (await session.exec(select(Comment.reason))).all() == [None]
