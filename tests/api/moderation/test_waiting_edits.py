"""Decisions about corrections that wait: what the public then reads, and what becomes of the comment."""

import asyncio

import httpx
import pytest
from sqlmodel import select

from service.command_line import commands
from service.command_line.log import verify_logs
from service.comments.tables import Article, Comment, ProposedEdit
from service.submission.schemas import Submitted
from tests.api.moderation.editing import DECISIONS, decide, publish_edited, shown
from tests.cast import House
from tests.plans import statements_of


async def revision(house: House) -> int:
    async with house.database.reading() as session:
        return (await session.exec(select(Article.revision).where(Article.key == "/post"))).one()


async def row(house: House, submitted: Submitted) -> Comment:
    async with house.database.reading() as session:
        rows = (await session.exec(select(Comment))).all()
    return next(one for one in rows if str(one.id) == submitted.id)


async def waiting(house: House) -> int:
    async with house.database.reading() as session:
        return len((await session.exec(select(ProposedEdit.comment_id))).all())


async def test_approval_swaps_the_text_in_public_at_once(house: House) -> None:
    taken = await publish_edited(house)
    assert await shown(house) == [("<p>Old.</p>", False)]
    before = await revision(house)
    house.clock.advance(minutes=5)
    [result] = await decide(house, "approve", 3, taken)
    assert (result["outcome"], result["status"], result["version"]) == ("applied", "approved", 4)
    assert await shown(house) == [("<p><em>New.</em></p>", True)]
    looked = await house.look(taken.id)
    assert (looked.text, looked.edit, looked.proposed) == ("*New.*", False, None)
    # A cache and a stream tell by these that there is something else to see.
    assert await revision(house) == before + 1
    assert (await row(house, taken)).public_revision == before + 1
    single = await house.dave.get(f"/v1/sites/blog/comments/{taken.id}")
    assert (single.json()["html"], single.json()["edited"]) == ("<p><em>New.</em></p>", True)


async def test_the_time_and_the_reason_of_the_comment_s_own_decision_stay(house: House) -> None:
    taken = await publish_edited(house)
    decided_at = (await house.look(taken.id)).decided_at
    house.clock.advance(minutes=5)
    await decide(house, "reject", 3, taken, reason="off_topic")
    receipt = (await house.dave.get(f"/v1/receipts/{taken.receipt.token}")).json()
    assert (await house.look(taken.id)).decided_at == decided_at
    assert (receipt["status"], receipt["reason"]) == ("approved", None)


async def test_replies_stay_where_they_are(house: House) -> None:
    taken = await publish_edited(house)
    reply = await house.publish(parent=taken.id)
    await decide(house, "approve", 3, taken)
    assert [one.id for one in (await house.read()).comments] == [taken.id, reply.id]
    assert (await house.read()).count == 2


async def test_rejection_drops_the_edit_and_the_comment_stays(house: House) -> None:
    taken = await publish_edited(house)
    before = await revision(house)
    [result] = await decide(house, "reject", 3, taken)
    assert (result["outcome"], result["status"], result["version"]) == ("applied", "approved", 4)
    assert await shown(house) == [("<p>Old.</p>", False)]
    assert (await house.look(taken.id)).edit is False
    assert await revision(house) == before
    assert (await house.try_submit(text="Old.")).status_code == 409
    assert (await house.try_submit(text="*New.*")).status_code == 202


async def test_spam_removes_the_comment_and_drops_the_edit(house: House) -> None:
    taken = await publish_edited(house)
    [result] = await decide(house, "spam", 3, taken)
    assert (result["status"], result["version"]) == ("spam", 4)
    assert await shown(house) == []
    assert await waiting(house) == 0
    assert (await house.try_submit(text="Old.")).status_code == 409


async def test_withdrawal_drops_the_edit_and_frees_both_texts(house: House) -> None:
    taken = await publish_edited(house)
    await house.withdraw(taken)
    assert await waiting(house) == 0
    for text in ("Old.", "*New.*"):
        assert (await house.try_submit(text=text)).status_code == 202


@pytest.mark.parametrize(
    ("action", "status", "text", "public"),
    [
        ("approve", "approved", "*New.*", [("<p><em>New.</em></p>", True)]),
        ("reject", "rejected", "Old.", []),
        ("spam", "spam", "Old.", []),
    ],
)
async def test_back_in_the_queue_the_edit_goes_with_the_comment(
    house: House, action: str, status: str, text: str, public: list[tuple[str, bool]]
) -> None:
    taken = await publish_edited(house)
    await decide(house, "requeue", 3, taken)
    looked = await house.look(taken.id)
    assert (looked.status, looked.text, looked.edit) == ("pending", "Old.", True)
    assert await shown(house) == []
    [result] = await decide(house, action, 4, taken)
    assert (result["outcome"], result["status"], result["version"]) == ("applied", status, 5)
    assert await shown(house) == public
    assert await waiting(house) == 0
    assert (await house.look(taken.id)).text == text
    assert (await house.try_submit(text=text)).status_code == 409


async def test_an_author_s_edit_of_a_requeued_comment_takes_the_place_of_both_texts(
    house: House,
) -> None:
    taken = await publish_edited(house)
    await decide(house, "requeue", 3, taken)
    await house.edit(taken, "Newest.")
    looked = await house.look(taken.id)
    assert (looked.text, looked.edit, looked.version) == ("Newest.", False, 5)
    await decide(house, "approve", 5, taken)
    assert await shown(house) == [("<p>Newest.</p>", True)]


async def test_a_stale_version_changes_nothing(house: House) -> None:
    taken = await publish_edited(house)
    await house.edit(taken, "Newest.")
    async with house.nothing_changes():
        for action in ("approve", "reject"):
            [result] = await decide(house, action, 3, taken)
            assert (result["outcome"], result["version"]) == ("conflict", 4)
    assert await shown(house) == [("<p>Old.</p>", False)]


async def test_without_an_edit_approving_again_is_illegal_as_before(house: House) -> None:
    taken = await publish_edited(house)
    await decide(house, "approve", 3, taken)
    async with house.nothing_changes():
        [result] = await decide(house, "approve", 4, taken)
    assert result["outcome"] == "illegal"


async def test_an_edit_that_nobody_sees_is_told_to_nobody(house: House) -> None:
    parent = await house.publish()
    taken = await publish_edited(house, parent=parent.id)
    await house.reject(parent.id)
    before, noted = await revision(house), (await row(house, taken)).public_revision
    await decide(house, "approve", 3, taken)
    assert (await revision(house), (await row(house, taken)).public_revision) == (before, noted)
    await house.approve(parent.id)
    assert (await shown(house))[1] == ("<p><em>New.</em></p>", True)


async def test_no_status_is_counted_twice_and_the_action_is_counted_by_day(house: House) -> None:
    taken = await publish_edited(house)
    before = (await house.bob.get("/v1/moderation/stats")).json()
    record = (await house.look(taken.id)).author
    await decide(house, "approve", 3, taken)
    await house.edit(taken, "Newest.")
    await decide(house, "reject", 5, taken)
    after = (await house.bob.get("/v1/moderation/stats")).json()
    assert after["statuses"] == before["statuses"]
    assert (await house.look(taken.id)).author == record
    events = before["days"][0]["events"]
    assert after["days"][0]["events"] == {**events, "approve": 2, "edit": 2, "reject": 1}


async def test_it_is_in_the_log_with_its_reason_and_note(house: House) -> None:
    taken = await publish_edited(house)
    await decide(house, "reject", 3, taken, reason="off_topic", note="He has had his say.")
    detail = (await house.bob.get(f"/v1/moderation/comments/{taken.id}")).json()
    last = detail["log"][-1]
    assert (last["action"], last["from"], last["to"]) == ("reject", "approved", "approved")
    assert (last["version"], last["reason"], last["note"]) == (
        4,
        "off_topic",
        "He has had his say.",
    )
    assert last["actor"]["name"] == "Bob"
    async with commands.working(house.settings) as services:
        assert [one.flaws for one in await verify_logs(services)] == [[]] * 3


async def test_what_is_decided_together_is_settled_together(house: House) -> None:
    edited = [await publish_edited(house, name=f"Dave {number}") for number in range(3)]
    plain = await house.submit(name="Erin")
    decisions = [
        {"comment": edited[0].id, "version": 3, "action": "approve"},
        {"comment": plain.id, "version": 1, "action": "approve"},
        {"comment": edited[1].id, "version": 3, "action": "reject"},
        {"comment": edited[2].id, "version": 3, "action": "spam"},
    ]
    answer = await house.bob.post(DECISIONS, json={"decisions": decisions})
    assert [one["outcome"] for one in answer.json()["results"]] == ["applied"] * 4
    texts = [html for html, _ in await shown(house)]
    assert texts[:2] == ["<p><em>New.</em></p>", "<p>Old.</p>"]
    assert (len(texts), await waiting(house)) == (3, 0)


async def test_two_who_get_the_same_text_back_at_once_do_not_fail(house: House) -> None:
    # The first one's edit frees the text, so that the second comment can have it and change it as well.
    first = await house.publish(text="Same.")
    await house.edit(first, "First.")
    second = await house.publish(text="Same.")
    await house.edit(second, "Second.")
    results = await decide(house, "reject", 3, first, second)
    assert [one["outcome"] for one in results] == ["applied", "applied"]
    assert (await house.try_submit(text="Same.")).status_code == 409


async def test_however_many_are_decided_their_edits_are_asked_for_once(house: House) -> None:
    comments = [await house.submit() for _ in range(10)]
    with statements_of(house, "proposed_edit") as asked:
        await decide(house, "approve", 1, *comments)
    assert len(asked) == 1


async def test_of_an_edit_and_a_decision_about_the_one_before_one_is_first(house: House) -> None:
    for number in range(10):
        taken = await house.publish(text="Old.", article=f"/{number}")
        await house.edit(taken, "Seen.")
        url = f"/v1/receipts/{taken.receipt.token}"
        house.dave = house.client(f"198.51.100.{number}")
        [result], edited = await asyncio.gather(
            decide(house, "approve", 3, taken), house.dave.patch(url, json={"text": "Unseen."})
        )
        assert edited.status_code == 200
        public = [html for html, _ in await shown(house, f"/{number}")]
        assert public == ["<p>Seen.</p>" if result["outcome"] == "applied" else "<p>Old.</p>"]
        proposed = (await house.look(taken.id)).proposed
        assert proposed is not None
        assert proposed.text == "Unseen."


async def test_the_page_shows_both_texts_and_its_buttons_decide_about_them(house: House) -> None:
    taken = await publish_edited(house)
    browser = await house.sign_in("bob")
    page = (await browser.get("/moderation")).text
    assert "Published text" in page
    assert "Correction by its author" in page
    assert "<p>Old.</p>" in page
    assert "<p><em>New.</em></p>" in page
    form = {"comment": taken.id, "version": "3", "action": "approve"}
    posted = await browser.post("/moderation", data=form)
    assert posted.headers["location"] == "/moderation?outcome=applied"
    assert await shown(house) == [("<p><em>New.</em></p>", True)]
    assert "Correction by its author" not in (await browser.get("/moderation")).text


async def test_a_published_page_from_memory_is_gone_with_the_approval(house: House) -> None:
    taken = await publish_edited(house)
    url = "/v1/sites/blog/comments?article=/post"
    answers: list[httpx.Response] = [await house.dave.get(url)]
    await decide(house, "approve", 3, taken)
    answers.append(await house.dave.get(url))
    assert "Old." in answers[0].text
    assert "New." in answers[1].text
    assert answers[0].headers["etag"] != answers[1].headers["etag"]
