"""Undo: the status from before comes back, unless the comment went on since."""

import asyncio
from typing import Any

import httpx
import pytest

from service.clock import new_id
from tests.cast import House

pytestmark = pytest.mark.both

UNDO = "/v1/moderation/undo"


async def undo(client: httpx.AsyncClient, *decisions: str | None) -> list[dict[str, Any]]:
    answer = await client.post(UNDO, json={"decisions": decisions})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


async def test_the_status_from_before_each_decision_comes_back(house: House) -> None:
    comment = await house.submit()
    for before, decide in [
        ("pending", house.approve),
        ("pending", house.reject),
        ("pending", house.spam),
    ]:
        [decided] = await decide(comment.id)
        [result] = await undo(house.bob, decided.decision)
        assert (result["comment"], result["outcome"]) == (comment.id, "applied")
        assert (result["status"], result["version"]) == (before, (decided.version or 0) + 1)
    await house.spam(comment.id)
    [requeued] = await house.requeue(comment.id)
    await undo(house.bob, requeued.decision)
    assert (await house.look(comment.id)).status == "spam"


async def test_an_undone_approval_is_public_no_more_and_counts_follow(house: House) -> None:
    comment = await house.submit()
    [approved] = await house.approve(comment.id)
    assert (await house.read()).count == 1
    await undo(house.bob, approved.decision)
    assert (await house.read()).comments == []
    looked = await house.look(comment.id)
    assert (looked.status, looked.author.approved, looked.decided_at) == ("pending", 0, None)


async def test_the_reason_of_the_status_from_before_comes_back_with_it(house: House) -> None:
    comment = await house.submit()
    await house.reject(comment.id, reason="abusive")
    [approved] = await house.approve(comment.id)
    await undo(house.bob, approved.decision)
    receipt = (await house.dave.get(f"/v1/receipts/{comment.receipt.token}")).json()
    assert (receipt["status"], receipt["reason"]) == ("rejected", "abusive")


async def test_a_comment_that_went_on_since_is_a_conflict(house: House) -> None:
    comment = await house.submit()
    [rejected] = await house.reject(comment.id)
    await house.approve(comment.id)
    async with house.nothing_changes():
        [result] = await undo(house.bob, rejected.decision)
    assert result == {
        "comment": comment.id,
        "outcome": "conflict",
        "status": "approved",
        "version": 3,
    }


async def test_an_undo_is_logged_and_can_be_undone(house: House) -> None:
    comment = await house.submit()
    [approved] = await house.approve(comment.id)
    [undone] = await undo(house.bob, approved.decision)
    [redone] = await undo(house.bob, undone["decision"])
    assert redone["status"] == "approved"
    detail = (await house.bob.get(f"/v1/moderation/comments/{comment.id}")).json()
    steps = [(line["action"], line["from"], line["to"], line["version"]) for line in detail["log"]]
    assert steps == [
        ("approve", "pending", "approved", 2),
        ("undo", "approved", "pending", 3),
        ("undo", "pending", "approved", 4),
    ]


async def test_any_moderator_of_the_site_may_undo_and_nobody_else(house: House) -> None:
    comment = await house.submit()
    [approved] = await house.approve(comment.id)
    async with house.nothing_changes():
        asked = {"decisions": [approved.decision]}
        assert (await house.vera.post(UNDO, json=asked)).status_code == 403
        [foreign] = await undo(house.charlie, approved.decision)
        [unknown] = await undo(house.bob, str(new_id()))
        [nonsense] = await undo(house.bob, "nonsense")
    assert foreign == unknown == nonsense
    assert foreign["outcome"] == "not_found"
    assert (await undo(house.alice, approved.decision))[0]["outcome"] == "applied"


async def test_an_author_s_withdrawal_is_not_undone(house: House) -> None:
    comment = await house.publish()
    await house.withdraw(comment)
    detail = (await house.bob.get(f"/v1/moderation/comments/{comment.id}")).json()
    async with house.nothing_changes():
        [result] = await undo(house.bob, detail["log"][-1]["id"])
    assert (result["outcome"], result["status"]) == ("illegal", "withdrawn")


async def test_what_is_no_decision_cannot_be_undone(house: House) -> None:
    comment = await house.submit()
    purpose = {"purpose": "To ask the author."}
    await house.bob.post(f"/v1/moderation/comments/{comment.id}/email-reveals", json=purpose)
    detail = (await house.bob.get(f"/v1/moderation/comments/{comment.id}")).json()
    assert (await undo(house.bob, detail["log"][-1]["id"]))[0]["outcome"] == "not_found"


async def test_a_second_mention_is_a_conflict(house: House) -> None:
    comment = await house.submit()
    [approved] = await house.approve(comment.id)
    results = await undo(house.bob, approved.decision, approved.decision)
    assert [one["outcome"] for one in results] == ["applied", "conflict"]


async def test_a_claim_by_another_holds_an_undo_off_too(house: House) -> None:
    comment = await house.publish()
    [requeued] = await house.requeue(comment.id)
    claim = {"site": "blog", "limit": 1, "lease_seconds": 60, "order": "oldest"}
    await house.alice.post("/v1/moderation/claims", json=claim)
    assert (await undo(house.bob, requeued.decision))[0]["outcome"] == "conflict"


async def test_two_who_undo_at_once_get_one_applied_and_one_conflict(house: House) -> None:
    comment = await house.submit()
    [approved] = await house.approve(comment.id)
    both = await asyncio.gather(undo(house.alice, approved.decision), undo(house.bob, approved.decision))
    assert sorted(results[0]["outcome"] for results in both) == ["applied", "conflict"]


async def test_a_request_holds_one_to_a_hundred_ids(house: House) -> None:
    for wrong in ([], [str(new_id())] * 101, [None], "x"):
        answer = await house.bob.post(UNDO, json={"decisions": wrong})
        assert answer.status_code == 422, wrong
