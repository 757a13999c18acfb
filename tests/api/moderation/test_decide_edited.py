"""Decisions about comments whose authors go on editing: what takes them away is never too late for that."""

from typing import Any

import pytest

from tests.api.moderation.editing import DECISIONS, decide, publish_edited, shown
from tests.cast import House

LIBEL = "Libel, version {}."


@pytest.mark.parametrize(
    ("action", "outcome"), [("spam", "applied"), ("approve", "conflict"), ("reject", "conflict")]
)
async def test_an_edit_of_what_is_pending_fends_off_what_depends_on_the_text_alone(
    house: House, action: str, outcome: str
) -> None:
    taken = await house.submit(text=LIBEL.format(0))
    for number in range(1, 4):
        await house.edit(taken, LIBEL.format(number))
    for version in (2, 1) if outcome == "conflict" else (2,):
        [result] = await decide(house, action, version, taken)
        assert result["outcome"] == outcome
    assert (await house.look(taken.id)).status == ("spam" if outcome == "applied" else "pending")


@pytest.mark.parametrize("action", ["spam", "requeue"])
async def test_what_is_public_can_be_taken_away_however_often_its_author_edits(
    house: House, action: str
) -> None:
    taken = await house.publish(text=LIBEL.format(0))
    looked = await house.look(taken.id)
    for number in range(1, 9):
        await house.edit(taken, LIBEL.format(number))
    [result] = await decide(house, action, looked.version, taken)
    assert (result["outcome"], result["version"]) == ("applied", looked.version + 9)
    assert await shown(house) == []


async def test_what_had_another_status_since_is_too_late(house: House) -> None:
    taken = await house.submit(text=LIBEL.format(0))
    await house.edit(taken, LIBEL.format(1))
    await house.approve(taken.id)
    await house.edit(taken, LIBEL.format(2))
    for version in (1, 2, 5, 99):
        [result] = await decide(house, "spam", version, taken)
        assert (result["outcome"], result["status"]) == ("conflict", "approved")
    [result] = await decide(house, "spam", 3, taken)
    assert result["outcome"] == "applied"


@pytest.mark.parametrize("settled", ["approve", "reject"])
async def test_what_a_moderator_did_to_an_edit_since_makes_it_too_late(house: House, settled: str) -> None:
    taken = await publish_edited(house)
    await decide(house, settled, 3, taken)
    for version in (2, 3):
        [result] = await decide(house, "spam", version, taken)
        assert result["outcome"] == "conflict"
    await house.edit(taken, "Once more.")
    [result] = await decide(house, "spam", 3, taken)
    assert result["outcome"] == "conflict"
    [result] = await decide(house, "spam", 4, taken)
    assert result["outcome"] == "applied"


async def test_what_another_has_claimed_stays_his(house: House) -> None:
    taken = await house.submit()
    wanted = {"site": "blog", "limit": 1, "lease_seconds": 60}
    claimed = await house.alice.post("/v1/moderation/claims", json=wanted)
    assert claimed.status_code == 200, claimed.text
    await house.edit(taken, "Edited.")
    [result] = await decide(house, "spam", 1, taken)
    assert result["outcome"] == "conflict"


async def test_it_is_applied_once_and_can_be_taken_back(house: House) -> None:
    taken = await house.submit(text=LIBEL.format(0))
    await house.edit(taken, LIBEL.format(1))
    again: dict[str, Any] = {
        "json": {"decisions": [{"comment": taken.id, "version": 1, "action": "spam"}]},
        "headers": {"idempotency-key": "one"},
    }
    first = (await house.bob.post(DECISIONS, **again)).json()["results"]
    assert (await house.bob.post(DECISIONS, **again)).json()["results"] == first
    [second] = await decide(house, "spam", 1, taken)
    assert second["outcome"] == "conflict"
    undone = await house.bob.post("/v1/moderation/undo", json={"decisions": [first[0]["decision"]]})
    [result] = undone.json()["results"]
    assert (result["outcome"], result["status"], result["version"]) == ("applied", "pending", 4)
    assert (await house.look(taken.id)).text == LIBEL.format(1)


async def test_what_was_sent_back_and_edited_since_is_not_undone(house: House) -> None:
    """An undo is about what a decision left behind, and that is another text by now."""
    taken = await house.publish()
    [result] = await house.requeue(taken.id)
    await house.edit(taken, "Edited.")
    undone = await house.bob.post("/v1/moderation/undo", json={"decisions": [result.decision]})
    assert undone.json()["results"][0]["outcome"] == "conflict"
