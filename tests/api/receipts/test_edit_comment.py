"""Correcting a comment: what is pending changes at once, what is public waits for a moderator."""

import asyncio
import time
from typing import Any

import httpx
import pytest

from service.command_line import commands
from service.command_line.log import verify_logs
from service.submission.schemas import Submitted
from service.text.markup import render_html
from tests.api.test_worst_requests import sqlite, watched
from tests.cast import House

pytestmark = pytest.mark.both

FOREIGN = {"origin": "https://evil.example"}


def url_of(submitted: Submitted) -> str:
    return f"/v1/receipts/{submitted.receipt.token}"


async def try_edit(house: House, submitted: Submitted, text: object) -> httpx.Response:
    return await house.dave.patch(url_of(submitted), json={"text": text})


async def edit(house: House, submitted: Submitted, text: str) -> dict[str, Any]:
    answer = await try_edit(house, submitted, text)
    assert answer.status_code == 200, answer.text
    receipt: dict[str, Any] = answer.json()
    return receipt


async def log_of(house: House, submitted: Submitted) -> list[dict[str, Any]]:
    detail = (await house.bob.get(f"/v1/moderation/comments/{submitted.id}")).json()
    lines: list[dict[str, Any]] = detail["log"]
    return lines


async def public_text(house: House) -> list[tuple[str | None, bool]]:
    return [(one.html, one.edited) for one in (await house.read()).comments]


async def test_a_pending_comment_is_changed_at_once(house: House) -> None:
    taken = await house.submit(text="Frist!")
    receipt = await edit(house, taken, "*First!*")
    assert receipt == (await house.dave.get(url_of(taken))).json()
    assert (receipt["status"], receipt["can"]) == ("pending", ["edit", "withdraw"])
    looked = await house.look(taken.id)
    assert (looked.text, looked.version, looked.edit) == ("*First!*", 2, False)
    assert looked.html == "<p><em>First!</em></p>"


async def test_the_receipt_says_as_long_as_a_correction_waits(house: House) -> None:
    taken = await house.publish(text="Old.")

    async def waits() -> bool:
        receipt: dict[str, Any] = (await house.dave.get(url_of(taken))).json()
        assert "edit" not in receipt or receipt["edit"] is True
        return "edit" in receipt

    assert not await waits()
    for decide in (house.reject, house.approve):
        assert (await edit(house, taken, "New."))["edit"] is True
        assert await waits()
        await decide(taken.id)
        assert not await waits()
    # The text that is public takes a waiting one back.
    assert (await edit(house, taken, "Newer."))["edit"] is True
    assert "edit" not in await edit(house, taken, "New.")
    assert not await waits()


async def test_nobody_saw_the_old_text_of_a_pending_comment_so_it_is_not_called_edited(
    house: House,
) -> None:
    taken = await house.submit()
    await edit(house, taken, "Better.")
    await house.approve(taken.id)
    assert await public_text(house) == [("<p>Better.</p>", False)]


async def test_what_the_public_has_seen_before_is_called_edited(house: House) -> None:
    taken = await house.publish()
    await house.requeue(taken.id)
    await edit(house, taken, "Better.")
    await house.approve(taken.id)
    assert await public_text(house) == [("<p>Better.</p>", True)]


async def test_an_approved_comment_stays_as_it_is_while_its_edit_waits(house: House) -> None:
    taken = await house.publish(text="Old.")
    before = await house.dave.get("/v1/sites/blog/comments", params={"article": "/post"})
    receipt = await edit(house, taken, "New.")
    assert (receipt["status"], receipt["can"]) == ("approved", ["edit", "withdraw"])
    after = await house.dave.get("/v1/sites/blog/comments", params={"article": "/post"})
    assert (after.content, after.headers["etag"]) == (before.content, before.headers["etag"])
    looked = await house.look(taken.id)
    assert (looked.text, looked.status, looked.version, looked.edit) == (
        "Old.",
        "approved",
        3,
        True,
    )


async def test_a_newer_edit_takes_the_place_of_one_that_waits(house: House) -> None:
    taken = await house.publish(text="Old.")
    await edit(house, taken, "Newer.")
    house.clock.advance(minutes=1)
    await edit(house, taken, "Newest.")
    looked = await house.look(taken.id)
    assert looked.version == 4
    assert looked.proposed is not None
    assert (looked.proposed.text, looked.proposed.submitted_at) == ("Newest.", house.clock())


async def test_proposing_the_published_text_again_drops_the_edit(house: House) -> None:
    taken = await house.publish(text="Old.")
    await edit(house, taken, "New.")
    await edit(house, taken, "Old.")
    looked = await house.look(taken.id)
    assert (looked.edit, looked.proposed, looked.version) == (False, None, 4)
    assert (await house.try_submit(text="Old.")).status_code == 409
    assert (await house.try_submit(text="New.")).status_code == 202


async def test_the_same_text_changes_nothing(house: House) -> None:
    pending, published, waiting = (
        await house.submit(text="One."),
        await house.publish(text="Two."),
        await house.publish(text="Three."),
    )
    await edit(house, waiting, "Four.")
    async with house.nothing_changes():
        await edit(house, pending, " \n\nOne.\r\n")
        await edit(house, published, "Two.")
        await edit(house, waiting, "Four.")


async def test_the_text_that_will_stand_is_guarded_against_repeats(house: House) -> None:
    pending, published = await house.submit(text="A."), await house.publish(text="B.")
    await edit(house, pending, "A, corrected.")
    await edit(house, published, "B, corrected.")
    for text in ("A, corrected.", "B, corrected."):
        assert (await house.try_submit(text=text)).status_code == 409
    assert (await house.try_submit(text="A.")).status_code == 202


async def test_going_back_to_a_text_that_somebody_sent_meanwhile_is_possible(house: House) -> None:
    taken = await house.publish(text="Old.")
    await edit(house, taken, "New.")
    await house.submit(text="Old.")
    await edit(house, taken, "Old.")
    assert (await house.look(taken.id)).edit is False
    assert (await house.try_submit(text="Old.")).status_code == 409


async def test_a_claim_stays_and_whoever_decides_about_the_old_text_gets_a_conflict(
    house: House,
) -> None:
    taken = await house.submit()
    claim = {"site": "blog", "limit": 1, "lease_seconds": 60}
    await house.bob.post("/v1/moderation/claims", json=claim)
    await edit(house, taken, "Better.")
    assert (await house.look(taken.id)).claim is not None
    decision = {"comment": taken.id, "version": 1, "action": "approve"}
    async with house.nothing_changes():
        answer = await house.bob.post("/v1/moderation/decisions", json={"decisions": [decision]})
    assert answer.json()["results"][0]["outcome"] == "conflict"
    await house.approve(taken.id)
    assert await public_text(house) == [("<p>Better.</p>", False)]


async def test_every_edit_is_in_the_log_without_actor_and_text(house: House) -> None:
    taken = await house.submit(text="One secret.")
    await edit(house, taken, "Another secret.")
    await house.approve(taken.id)
    await edit(house, taken, "A third secret.")
    await edit(house, taken, "Another secret.")
    lines = await log_of(house, taken)
    steps = [(one["action"], one["from"], one["to"], one["version"]) for one in lines]
    assert steps == [
        ("edit", "pending", "pending", 2),
        ("approve", "pending", "approved", 3),
        ("edit", "approved", "approved", 4),
        ("edit", "approved", "approved", 5),
    ]
    assert {one["actor"] and one["actor"]["name"] for one in lines} == {None, "Bob"}
    assert "secret" not in str(lines)
    async with commands.working(house.settings) as services:
        assert [one.flaws for one in await verify_logs(services)] == [[]] * 3


async def test_edits_are_counted_by_day_and_change_no_other_count(house: House) -> None:
    taken = await house.publish()
    before = (await house.bob.get("/v1/moderation/stats")).json()
    await edit(house, taken, "Better.")
    after = (await house.bob.get("/v1/moderation/stats")).json()
    assert after["statuses"] == before["statuses"]
    assert after["days"][0]["events"] == {**before["days"][0]["events"], "edit": 1}


async def test_it_cannot_be_undone(house: House) -> None:
    taken = await house.submit()
    await edit(house, taken, "Better.")
    [line] = await log_of(house, taken)
    answer = await house.bob.post("/v1/moderation/undo", json={"decisions": [line["id"]]})
    assert answer.json()["results"][0]["outcome"] == "not_found"


async def test_of_two_edits_at_once_both_are_taken_and_the_later_one_stands(house: House) -> None:
    taken = await house.publish()
    texts = [f"Version {number}." for number in range(5)]
    answers = await asyncio.gather(*(try_edit(house, taken, text) for text in texts))
    assert {answer.status_code for answer in answers} == {200}
    looked = await house.look(taken.id)
    assert looked.version == 7
    assert looked.proposed is not None
    assert looked.proposed.text in texts
    assert len(await log_of(house, taken)) == 6


async def test_what_a_moderator_did_not_see_is_never_public(house: House) -> None:
    for number in range(12):
        taken = await house.submit(text=f"Seen {number}.", article=f"/{number}")
        decision = {"comment": taken.id, "version": 1, "action": "approve"}
        edited, decided = await asyncio.gather(
            try_edit(house, taken, f"Unseen {number}."),
            house.bob.post("/v1/moderation/decisions", json={"decisions": [decision]}),
        )
        assert edited.status_code == 200
        shown = [one.html for one in (await house.read(f"/{number}")).comments]
        looked = await house.look(taken.id)
        if decided.json()["results"][0]["outcome"] == "applied":
            # The decision was first, so the edit waits.
            assert (shown, looked.edit) == ([f"<p>Seen {number}.</p>"], True)
        else:
            assert decided.json()["results"][0]["outcome"] == "conflict"
            assert (shown, looked.status, looked.edit) == ([], "pending", False)
            assert looked.text == f"Unseen {number}."


@sqlite
@pytest.mark.parametrize("is_public", [False, True])
async def test_a_long_text_is_rendered_where_nobody_waits(house: House, is_public: bool) -> None:
    settings = {"settings": {"max_text_chars": 65_525}}
    assert (await house.alice.patch("/v1/sites/blog", json=settings)).status_code == 200
    taken = await (house.publish if is_public else house.submit)(text="Short.")
    text = "_*a " * 16_000
    async with watched() as watch:
        await edit(house, taken, text)
    started = time.thread_time()
    render_html(text)
    assert watch.worst_seconds < (time.thread_time() - started) / 2
