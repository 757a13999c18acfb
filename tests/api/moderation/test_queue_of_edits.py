"""The queue with corrections in it: in the order of ids, on right cursors, at the cost of the edits alone."""

from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import col, select, update

from service.accounts.tables import Moderator
from service.clock import new_id
from service.comments.tables import Comment
from service.http.cursors import Position
from service.moderation import queue
from service.moderation.schemas import ListQueue
from service.sites.tables import Site
from tests.cast import House

pytestmark = pytest.mark.both

QUEUE = "/v1/moderation/comments"


async def list_queue(house: House, **query: str | int) -> list[dict[str, Any]]:
    answer = await house.bob.get(QUEUE, params=query)
    assert answer.status_code == 200, answer.text
    comments: list[dict[str, Any]] = answer.json()["comments"]
    return comments


async def ids(house: House, **query: str | int) -> list[str]:
    return [comment["id"] for comment in await list_queue(house, **query)]


async def walk(house: House, **query: str | int) -> list[str]:
    """Give the ids of the whole queue, from cursor to cursor, two at a time."""
    found: list[str] = []
    while True:
        answer = (await house.bob.get(QUEUE, params={**query, "limit": 2})).json()
        found += [comment["id"] for comment in answer["comments"]]
        if answer["next"] is None:
            return found
        assert len(answer["comments"]) == 2
        query["cursor"] = answer["next"]


async def fill(house: House) -> list[str]:
    """Submit nine comments: pending, approved with an edit, approved without one, and so on."""
    waiting: list[str] = []
    for number in range(9):
        kind = number % 3
        taken = await (house.publish if kind else house.submit)(text=f"Text {number}.")
        if kind == 1:
            await house.edit(taken, f"Other {number}.")
        if kind < 2:
            waiting.append(taken.id)
    return waiting


async def test_approved_comments_whose_edit_waits_are_listed_with_both_texts(house: House) -> None:
    pending = await house.submit()
    published = await house.publish(text="Old.")
    await house.publish()
    house.clock.advance(minutes=1)
    await house.edit(published, "*New.*")
    first, second = await list_queue(house)
    assert (first["id"], first["edit"], first["proposed"]) == (pending.id, False, None)
    assert (second["id"], second["status"], second["edit"]) == (published.id, "approved", True)
    assert (second["text"], second["html"]) == ("Old.", "<p>Old.</p>")
    assert second["proposed"] == {
        "text": "*New.*",
        "html": "<p><em>New.</em></p>",
        "submitted_at": "2026-05-01T12:01:00Z",
    }
    detail = (await house.bob.get(f"{QUEUE}/{published.id}")).json()
    assert {**second, "log": detail["log"]} == detail
    [listed, _] = await list_queue(house, status="approved")
    assert listed == second


@pytest.mark.parametrize("order", ["oldest", "newest", "risk"])
@pytest.mark.parametrize("where", [{}, {"site": "blog"}, {"article": "/post"}, {"q": "te"}])
async def test_cursors_walk_both_kinds_once_and_in_order(
    house: House, order: str, where: dict[str, str]
) -> None:
    waiting = await fill(house)
    expected = waiting[::-1] if order == "newest" else waiting
    assert await walk(house, order=order, **where) == expected


async def test_an_admin_walks_all_sites(house: House) -> None:
    waiting = await fill(house)
    theirs = await house.submit(site="elsewhere")
    async with house.database.writing() as session:
        await session.exec(update(Moderator).where(col(Moderator.name) == "Bob").values(is_admin=True))
    assert await walk(house) == [*waiting, theirs.id]


async def test_a_walk_over_very_many_sites_finds_them_too(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = await fill(house)
    monkeypatch.setattr(queue, "MAX_WALKS", 0)
    assert await walk(house) == waiting


async def test_risk_orders_both_kinds_together(house: House) -> None:
    waiting = await fill(house)
    risks = [0.5, None, 0.1, 0.9, 0.5, None]
    async with house.database.writing() as session:
        rows = (await session.exec(select(Comment.id).order_by(col(Comment.id)))).all()
        known = [one for one in rows if str(one) in waiting]
        for comment_id, risk in zip(known, risks, strict=True):
            this = col(Comment.id) == comment_id
            await session.exec(update(Comment).where(this).values(risk=risk))
    expected = [waiting[place] for place in (3, 0, 4, 2, 1, 5)]
    assert await walk(house, order="risk") == expected
    assert await walk(house, order="risk", article="/post", site="blog") == expected


async def test_filters_look_at_the_comment_and_at_the_new_text(house: House) -> None:
    by_text, by_edit, elsewhere = [
        await house.publish(text=words, article=article)
        for words, article in (("A needle.", "/a"), ("Hay.", "/a"), ("More hay.", "/b"))
    ]
    await house.edit(by_text, "Thread.")
    await house.edit(by_edit, "A needle, after all.")
    await house.edit(elsewhere, "Straw.")
    assert await ids(house, q="NEEDLE") == [by_text.id, by_edit.id]
    assert await ids(house, article="/b") == [elsewhere.id]
    assert await ids(house, article="/a", q="after") == [by_edit.id]
    assert await ids(house, article="/nowhere") == []


async def test_a_comment_that_went_back_to_the_queue_is_there_once(house: House) -> None:
    published = await house.publish()
    await house.edit(published, "New.")
    await house.requeue(published.id)
    [listed] = await list_queue(house)
    assert (listed["id"], listed["status"], listed["edit"]) == (published.id, "pending", True)


async def test_edits_of_other_sites_are_nobody_s_business(house: House) -> None:
    published = await house.publish()
    await house.edit(published, "New.")
    assert (await house.charlie.get(QUEUE)).json()["comments"] == []
    assert (await house.charlie.get(f"{QUEUE}/{published.id}")).status_code == 404
    assert len((await house.vera.get(QUEUE)).json()["comments"]) == 1


async def test_claims_are_for_pending_comments_only(house: House) -> None:
    published, back = await house.publish(), await house.publish()
    for one in (published, back):
        await house.edit(one, f"New {one.id}.")
    await house.requeue(back.id)
    claim = {"site": "blog", "limit": 50, "lease_seconds": 60}
    claimed = (await house.bob.post("/v1/moderation/claims", json=claim)).json()["comments"]
    assert [(one["id"], one["proposed"]["text"]) for one in claimed] == [(back.id, f"New {back.id}.")]


async def explain(house: House, wanted: ListQueue, article: str | None = None) -> str:
    """Give the database's plan of the walks for a page of the queue of `blog`, after some comment."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, sql: str, values: Any, *_rest: object) -> None:
        asked.append((sql, values))

    after = Position(wanted.order, new_id(), 0.5)
    async with house.database.reading() as session:
        site_id = (await session.exec(select(Site.id).where(Site.slug == "blog"))).one()
        connection = await session.connection()
        event.listen(connection.sync_connection, "before_cursor_execute", note)
        await queue.find_queued(session, [site_id], article, wanted, after)
        sql, values = asked[-1]
        explaining = "EXPLAIN QUERY PLAN"
        if not house.database.is_sqlite:
            # The tables are small here; what counts is whether there is a way along the indexes.
            await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            explaining = "EXPLAIN"
        rows = (await connection.exec_driver_sql(f"{explaining} {sql}", values)).all()
    return "\n".join(str(row) for row in rows)


@pytest.mark.parametrize("order", ["oldest", "newest", "risk"])
@pytest.mark.parametrize("article", [None, "/post"])
async def test_edits_are_found_along_their_own_index_and_no_walk_goes_over_all_comments(
    house: House, order: Any, article: str | None
) -> None:
    await fill(house)
    plan = await explain(house, ListQueue(order=order), article)
    assert "ix_proposed_edit_queue" in plan
    for whole in ("SCAN comment", "Seq Scan on comment", "SCAN proposed_edit", "Seq Scan on prop"):
        assert whole not in plan, plan


async def test_the_page_of_the_oldest_reads_no_comment_to_find_the_edits(house: House) -> None:
    await fill(house)
    plan = await explain(house, ListQueue())
    if house.database.is_sqlite:
        assert "COVERING INDEX ix_proposed_edit_queue (site_id=? AND comment_id>?)" in plan
    else:
        assert "Index Only Scan using ix_proposed_edit_queue" in plan
