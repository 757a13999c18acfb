"""Comments of an older markup are rendered anew, and nothing becomes public that no moderator has seen."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlmodel import col, update

from service.command_line import commands
from service.comments.tables import Comment, ProposedEdit
from service.housekeeping import renew_markup
from service.moderation.schemas import Result
from service.text.markup import MARKUP_VERSION
from tests.api.moderation.tampering import flaws
from tests.cast import House
from tests.waiting import until_tidied

pytestmark = pytest.mark.both

PAGE = "/v1/sites/blog/comments?article=/post"


async def make_old(house: House, comment_id: str, html: str, *, markup: int = 0) -> None:
    """Leave a comment as an older version, which knows no number of its markup, has it."""
    await until_tidied()
    async with house.database.writing() as session:
        chosen = update(Comment).where(col(Comment.id) == UUID(comment_id))
        await session.exec(chosen.values(html=html, markup=markup))


async def renew(house: House) -> None:
    """Do what every process does, in one with caches and listeners of its own."""
    async with commands.working(house.settings) as services:
        services.clock = house.clock
        await renew_markup(services)


async def shown(house: House) -> list[tuple[str, bool]]:
    comments = (await house.dave.get(PAGE)).json()["comments"]
    return [(one["html"], one["edited"]) for one in comments]


async def test_what_shows_no_more_words_is_rendered_anew_at_once(house: House) -> None:
    published = await house.publish(text="5*3*2 = 30")
    pending = await house.submit(text="~~~来支持一下")
    await make_old(house, published.id, "<p>5<em>3</em>2 = 30</p>")
    await make_old(house, pending.id, "<pre></pre>")
    before = (await house.look(published.id)).version
    await renew(house)
    assert await shown(house) == [("<p>5*3*2 = 30</p>", False)]
    assert (await house.look(pending.id)).html == "<p>~~~来支持一下</p>"
    assert (await house.look(published.id)).version == before


async def test_words_that_no_moderator_has_seen_wait_for_one(house: House) -> None:
    published = await house.publish(text="Nice. [1]: https://spam.example/pills")
    await make_old(house, published.id, "<p>Nice.</p>")
    await renew(house)
    assert await shown(house) == [("<p>Nice.</p>", False)]
    looked = await house.look(published.id)
    assert looked.edit
    assert looked.proposed is not None
    assert ">https://spam.example/pills</a>" in looked.proposed.html
    await renew(house)
    assert (await house.look(published.id)).version == looked.version
    [decided] = await house.decide("approve", published.id)
    assert decided.outcome == "applied"
    [(html, edited)] = await shown(house)
    assert ("spam.example" in html, edited) == (True, False)
    assert await flaws(house) == []


async def test_a_refused_rendering_leaves_the_comment_as_it_was(house: House) -> None:
    published = await house.publish(text="[Edit]: thanks")
    await make_old(house, published.id, "<p></p>")
    await renew(house)
    await house.decide("reject", published.id)
    await renew(house)
    assert await shown(house) == [("<p></p>", False)]
    assert not (await house.look(published.id)).edit
    # It stands against repeats as before.
    answer = await house.try_submit(text="[Edit]: thanks")
    assert answer.status_code == httpx.codes.CONFLICT


async def test_a_rendering_that_its_author_corrects_away_and_back_waits_again(house: House) -> None:
    published = await house.publish(text="[Edit]: thanks")
    await make_old(house, published.id, "<p></p>")
    await renew(house)
    await house.edit(published, "Two")
    await renew(house)
    await house.edit(published, "[Edit]: thanks")
    assert not (await house.look(published.id)).edit
    await renew(house)
    assert await shown(house) == [("<p></p>", False)]
    await house.decide("approve", published.id)
    await renew(house)
    assert await shown(house) == [("<p>[Edit]: thanks</p>", False)]
    assert await flaws(house) == []


async def test_a_rendering_waits_again_once_it_is_undone_that_its_comment_is_spam(
    house: House,
) -> None:
    published = await house.publish(text="[Edit]: thanks")
    await make_old(house, published.id, "<p></p>")
    await renew(house)
    [decided] = await house.spam(published.id)
    assert await undo(house, decided) == "applied"
    assert not (await house.look(published.id)).edit
    await renew(house)
    looked = await house.look(published.id)
    assert looked.proposed is not None
    assert looked.proposed.html == "<p>[Edit]: thanks</p>"
    assert await shown(house) == [("<p></p>", False)]


async def test_no_undoing_publishes_what_was_rendered_meanwhile(house: House) -> None:
    published = await house.publish(text="[Edit]: thanks")
    await make_old(house, published.id, "<p></p>")
    [decided] = await house.spam(published.id)
    await renew(house)
    assert await undo(house, decided) == "conflict"
    await house.decide("approve", published.id)
    assert await shown(house) == [("<p>[Edit]: thanks</p>", False)]
    assert await flaws(house) == []


async def undo(house: House, decided: Result) -> str:
    body = {"decisions": [decided.decision]}
    answer = await house.bob.post("/v1/moderation/undo", json=body)
    outcome: str = answer.json()["results"][0]["outcome"]
    return outcome


async def test_a_moderator_who_has_not_seen_the_new_words_decides_about_nothing(
    house: House,
) -> None:
    published = await house.publish(text="[Edit]: thanks")
    version = (await house.look(published.id)).version
    await make_old(house, published.id, "<p></p>")
    await renew(house)
    decision: dict[str, Any] = {"comment": published.id, "version": version}
    for action, outcome in (("reject", "conflict"), ("spam", "applied")):
        body = {"decisions": [{**decision, "action": action}]}
        answer = await house.bob.post("/v1/moderation/decisions", json=body)
        assert answer.json()["results"][0]["outcome"] == outcome


@pytest.mark.parametrize("waits", [False, True])
async def test_who_has_seen_fewer_words_of_what_waits_does_not_approve_it(house: House, waits: bool) -> None:
    old: dict[str, Any] = {"html": "<p></p>", "markup": 0}
    if waits:
        comment = await house.publish(text="One.")
        await house.edit(comment, "[Edit]: thanks")
        async with house.database.writing() as session:
            await session.exec(update(ProposedEdit).values(**old))
    else:
        comment = await house.submit(text="[Edit]: thanks")
        await make_old(house, comment.id, old["html"])
    version = (await house.look(comment.id)).version
    await renew(house)
    decision = {"comment": comment.id, "version": version, "action": "approve"}
    answer = await house.bob.post("/v1/moderation/decisions", json={"decisions": [decision]})
    assert answer.json()["results"][0]["outcome"] == "conflict"
    [decided] = await house.decide("approve", comment.id)
    assert decided.outcome == "applied"
    assert [html for html, _ in await shown(house)] == ["<p>[Edit]: thanks</p>"]
    assert await flaws(house) == []


async def test_a_waiting_edit_is_rendered_anew(house: House) -> None:
    published = await house.publish(text="One.")
    await house.edit(published, "# Two")
    await until_tidied()
    async with house.database.writing() as session:
        await session.exec(update(ProposedEdit).values(html="<p><strong>Two</strong></p>", markup=0))
    await renew(house)
    proposed = (await house.look(published.id)).proposed
    assert proposed is not None
    assert proposed.html == "<p># Two</p>"


async def test_words_wait_for_an_edit_before_they_wait_for_a_moderator(house: House) -> None:
    published = await house.publish(text="[Edit]: thanks")
    await house.edit(published, "Two")
    await make_old(house, published.id, "<p></p>")
    for _ in range(2):
        await renew(house)
        looked = await house.look(published.id)
        assert looked.proposed is not None
        assert looked.proposed.text == "Two"
    await house.decide("reject", published.id)
    assert await shown(house) == [("<p></p>", False)]
    await renew(house)
    looked = await house.look(published.id)
    assert looked.proposed is not None
    assert (looked.proposed.text, looked.proposed.html) == (
        "[Edit]: thanks",
        "<p>[Edit]: thanks</p>",
    )
    await house.decide("approve", published.id)
    await renew(house)
    assert await shown(house) == [("<p>[Edit]: thanks</p>", False)]
    assert await flaws(house) == []


async def test_an_edit_that_is_approved_leaves_nothing_old(house: House) -> None:
    published = await house.publish(text="[Edit]: thanks")
    await house.edit(published, "Two")
    await make_old(house, published.id, "<p></p>")
    await renew(house)
    await house.decide("approve", published.id)
    await renew(house)
    assert await shown(house) == [("<p>Two</p>", True)]
    assert not (await house.look(published.id)).edit


@pytest.mark.parametrize("text", ["```💩 🖕\nx\n```", "x ☠", "x 👩\u200d💻", "x ∎∎"])
async def test_pictures_are_words(house: House, text: str) -> None:
    published = await house.publish(text=text)
    await make_old(house, published.id, "<p>x</p>")
    await renew(house)
    assert await shown(house) == [("<p>x</p>", False)]
    assert (await house.look(published.id)).edit


async def test_what_the_first_markup_took_for_a_link_is_rendered_anew(house: House) -> None:
    published = await house.publish(text="https://a.example/Windows_в_России")
    html = '<p><a href="https://a.example/Windows_">https://a.example/Windows_</a>в_России</p>'
    await make_old(house, published.id, html, markup=1)
    await renew(house)
    [(shown_html, _)] = await shown(house)
    assert ">https://a.example/Windows_в_России</a>" in shown_html


async def test_what_an_older_process_edits_meanwhile_is_rendered_anew(house: House) -> None:
    pending = await house.submit(text="One.")
    await house.edit(pending, "# Two")
    # It knows nothing of the number, and leaves it as it finds it.
    html = "<p><strong>Two</strong></p>"
    await make_old(house, pending.id, html, markup=MARKUP_VERSION)
    await renew(house)
    assert (await house.look(pending.id)).html == "<p># Two</p>"


async def test_many_are_done_in_pieces(house: House) -> None:
    texts = [f"5*{number}*2" for number in range(45)]
    for text in texts:
        html = f"<p>{text.replace('*', '<em>', 1).replace('*', '</em>')}</p>"
        await make_old(house, (await house.publish(text=text)).id, html)
    await renew(house)
    assert [html for html, _ in await shown(house)] == [f"<p>{text}</p>" for text in texts]
