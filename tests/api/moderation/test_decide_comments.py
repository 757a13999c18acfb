"""Decisions: the whole table of legal changes, versions, claims, replays, and two at the same moment."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from service.clock import new_id
from service.modlog.tables import LogEntry
from service.submission.schemas import Submitted
from tests.cast import House

pytestmark = pytest.mark.both

DECISIONS = "/v1/moderation/decisions"
# The table of the contract, as its page says it: from these statuses an action is legal, and leads there.
TABLE = {
    "approve": ({"pending", "rejected", "spam"}, "approved"),
    "reject": ({"pending", "approved", "spam"}, "rejected"),
    "spam": ({"pending", "approved", "rejected"}, "spam"),
    "requeue": ({"approved", "rejected", "spam"}, "pending"),
}
STATUSES = ("pending", "approved", "rejected", "spam", "withdrawn")


async def post(
    client: httpx.AsyncClient, *decisions: dict[str, Any], key: str | None = None
) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else None
    return await client.post(DECISIONS, json={"decisions": decisions}, headers=headers)


async def decide(client: httpx.AsyncClient, *decisions: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await post(client, *decisions)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def decision(comment: str, action: str = "approve", version: int = 1, **more: str) -> dict[str, Any]:
    return {"comment": comment, "version": version, "action": action, **more}


async def bring_to(house: House, status: str) -> Submitted:
    """Submit a comment and bring it to a status."""
    submitted = await house.submit()
    match status:
        case "approved":
            await house.approve(submitted.id)
        case "rejected":
            await house.reject(submitted.id)
        case "spam":
            await house.spam(submitted.id)
        case "withdrawn":
            await house.withdraw(submitted)
    return submitted


@pytest.mark.parametrize("action", TABLE)
async def test_an_action_is_legal_exactly_where_the_table_says(house: House, action: str) -> None:
    legal_from, to = TABLE[action]
    for status in STATUSES:
        comment = await bring_to(house, status)
        version = (await house.look(comment.id)).version
        [result] = await decide(house.bob, decision(comment.id, action, version))
        if status in legal_from:
            assert result["outcome"] == "applied"
            assert (result["status"], result["version"]) == (to, version + 1)
        else:
            assert result == {
                "comment": comment.id,
                "outcome": "illegal",
                "status": status,
                "version": version,
            }
        assert (await house.look(comment.id)).status == result["status"]


async def test_a_decision_is_in_the_log_with_its_reason_note_and_id(house: House) -> None:
    comment = await house.submit()
    house.clock.advance(minutes=5)
    wanted = decision(comment.id, "reject", reason="abusive", note="Third time this week.")
    [result] = await decide(house.bob, wanted)
    detail = (await house.bob.get(f"/v1/moderation/comments/{comment.id}")).json()
    assert detail["decided_at"] == "2026-05-01T12:05:00Z"
    [line] = detail["log"]
    assert line["id"] == result["decision"]
    assert line["actor"]["name"] == "Bob"
    assert line["at"] == detail["decided_at"]
    assert (line["reason"], line["note"]) == ("abusive", "Third time this week.")


async def test_results_come_in_the_order_asked_each_on_its_own(house: House) -> None:
    good, stale, illegal, foreign = [await house.submit() for _ in range(3)] + [
        await house.submit(site="elsewhere")
    ]
    unknown = str(new_id())
    results = await decide(
        house.bob,
        decision(unknown),
        decision(illegal.id, "requeue"),
        decision(foreign.id),
        decision(good.id),
        decision(stale.id, version=2),
        decision("nonsense"),
    )
    assert [one["comment"] for one in results] == [
        *(unknown, illegal.id, foreign.id, good.id, stale.id, "nonsense")
    ]
    assert [one["outcome"] for one in results] == [
        *("not_found", "illegal", "not_found", "applied", "conflict", "not_found")
    ]
    assert results[0] == {
        "comment": unknown,
        "outcome": "not_found",
        "status": None,
        "version": None,
    }
    assert {**results[2], "comment": unknown} == results[0]


async def test_a_second_mention_is_a_conflict_and_the_first_one_counts(house: House) -> None:
    comment = await house.submit()
    results = await decide(
        house.bob, decision(comment.id), decision(comment.id, "spam", 2), decision(comment.id)
    )
    assert [one["outcome"] for one in results] == ["applied", "conflict", "conflict"]
    assert (await house.look(comment.id)).status == "approved"


async def test_staleness_is_told_before_illegality(house: House) -> None:
    comment = await house.publish()
    stale_and_illegal = decision(comment.id, "approve", version=1)
    async with house.nothing_changes():
        [result] = await decide(house.bob, stale_and_illegal)
    assert result == {
        "comment": comment.id,
        "outcome": "conflict",
        "status": "approved",
        "version": 2,
    }


async def test_a_claim_by_another_is_a_conflict_until_it_ends(house: House) -> None:
    comment = await house.submit()
    claim = {"site": "blog", "limit": 1, "lease_seconds": 60, "order": "oldest"}
    await house.alice.post("/v1/moderation/claims", json=claim)
    async with house.nothing_changes():
        assert (await decide(house.bob, decision(comment.id)))[0]["outcome"] == "conflict"
    house.clock.advance(seconds=60)
    assert (await decide(house.bob, decision(comment.id)))[0]["outcome"] == "applied"


async def test_one_s_own_claim_and_no_claim_both_allow_a_decision(house: House) -> None:
    claimed, unclaimed = await house.submit(), await house.submit()
    claim = {"site": "blog", "limit": 1, "lease_seconds": 60, "order": "oldest"}
    await house.bob.post("/v1/moderation/claims", json=claim)
    results = await decide(house.bob, decision(claimed.id), decision(unclaimed.id))
    assert [one["outcome"] for one in results] == ["applied", "applied"]


async def test_a_viewer_may_not_decide_and_a_stranger_finds_nothing(house: House) -> None:
    comment = await house.submit()
    async with house.nothing_changes():
        assert (await post(house.vera, decision(comment.id))).status_code == 403
        [result] = await decide(house.charlie, decision(comment.id))
    assert result["outcome"] == "not_found"


async def test_two_who_decide_at_once_get_one_applied_and_one_conflict(house: House) -> None:
    comments = [await house.submit() for _ in range(5)]
    for comment in comments:
        both = await asyncio.gather(
            decide(house.alice, decision(comment.id, "approve")),
            decide(house.bob, decision(comment.id, "reject")),
        )
        outcomes = [results[0]["outcome"] for results in both]
        assert sorted(outcomes) == ["applied", "conflict"]
        winner = both[outcomes.index("applied")][0]
        assert (await house.look(comment.id)).status == winner["status"]
        assert len(await log_of(house, comment)) == 1


async def log_of(house: House, comment: Submitted) -> list[LogEntry]:
    async with house.database.reading() as session:
        query = select(LogEntry).where(col(LogEntry.comment_id).is_not(None))
        entries = (await session.exec(query)).all()
        return [entry for entry in entries if str(entry.comment_id) == comment.id]


async def test_an_idempotency_key_gives_the_first_answer_again(house: House) -> None:
    one, other = await house.submit(), await house.submit()
    decisions = [decision(one.id), decision(other.id, "requeue")]
    first = await post(house.bob, *decisions, key="k1")
    await house.spam(one.id)
    async with house.nothing_changes():
        again = await post(house.bob, *decisions, key="k1")
    assert again.status_code == 200
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers


async def test_after_a_day_the_key_is_as_good_as_new_though_nobody_has_tidied_up(
    house: House,
) -> None:
    comment = await house.submit()
    first = await post(house.bob, decision(comment.id), key="k1")
    house.clock.advance(hours=24)
    assert (await post(house.bob, decision(comment.id), key="k1")).json() == first.json()
    house.clock.advance(seconds=1)
    second = await post(house.bob, decision(comment.id, "spam", 2), key="k1")
    assert second.json()["results"][0]["outcome"] == "applied"
    again = await post(house.bob, decision(comment.id, "spam", 2), key="k1")
    assert (again.json(), again.headers["idempotency-replayed"]) == (second.json(), "true")
    assert len((await house.state())["decision_key"]) == 1


async def test_an_idempotency_key_with_other_decisions_is_refused(house: House) -> None:
    comment = await house.submit()
    await post(house.bob, decision(comment.id), key="k1")
    async with house.nothing_changes():
        reused = await post(house.bob, decision(comment.id, "spam", 2), key="k1")
    assert reused.status_code == 422
    assert reused.json()["type"] == "/problems/idempotency-key-reused"


async def test_an_idempotency_key_belongs_to_its_moderator(house: House) -> None:
    comment = await house.submit()
    await post(house.bob, decision(comment.id), key="k1")
    answer = await post(house.alice, decision(comment.id, "spam", 2), key="k1")
    assert answer.json()["results"][0]["outcome"] == "applied"


async def test_the_same_key_many_times_at_once_decides_once(house: House) -> None:
    comment = await house.submit()
    answers = await asyncio.gather(*(post(house.bob, decision(comment.id), key="k1") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len(await log_of(house, comment)) == 1


async def test_a_request_that_is_refused_leaves_its_key_free(house: House) -> None:
    comment = await house.submit()
    assert (await post(house.bob, decision(comment.id, "lose"), key="k1")).status_code == 422
    answer = await post(house.bob, decision(comment.id), key="k1")
    assert answer.json()["results"][0]["outcome"] == "applied"


async def test_all_invalid_fields_are_named_at_once(house: House) -> None:
    comment = await house.submit()
    bad = [
        decision(comment.id, "erase"),
        decision(comment.id, version=0),
        {"comment": 5, "version": "1", "action": None},
        decision(comment.id, reason="Not a Code", note=""),
        decision(comment.id, reason="abusive\n"),
    ]
    async with house.nothing_changes():
        answer = await post(house.bob, *bad)
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "#/decisions/0/action",
        "#/decisions/1/version",
        "#/decisions/2/comment",
        "#/decisions/2/version",
        "#/decisions/2/action",
        "#/decisions/3/reason",
        "#/decisions/3/note",
        "#/decisions/4/reason",
    }


async def test_a_request_holds_one_to_a_hundred_decisions(house: House) -> None:
    assert (await post(house.bob)).status_code == 422
    hundred = [decision(str(new_id())) for _ in range(100)]
    assert len(await decide(house.bob, *hundred)) == 100
    assert (await post(house.bob, *hundred, decision(str(new_id())))).status_code == 422


async def test_what_is_decided_together_is_one_chain_in_that_order(house: House) -> None:
    comments = [await house.submit() for _ in range(4)]
    results = await decide(house.bob, *(decision(one.id, "spam") for one in comments))
    page = (await house.bob.get("/v1/moderation/log", params={"limit": 4})).json()
    assert [line["id"] for line in page["entries"]] == [one["decision"] for one in results][::-1]
    numbers = [line["seq"] for line in page["entries"]]
    assert numbers == list(range(numbers[0], numbers[0] - 4, -1))
