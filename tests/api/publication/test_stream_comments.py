"""The stream of an article: what happens to its comments, told as it happens, and nothing lost in between."""

from typing import Any

import httpx
import pytest
from sqlmodel import update

from service.comments.tables import Article, Comment
from service.publication.streams import BATCH
from tests.answers import codes_of, problem_of
from tests.cast import House
from tests.plans import explain, statements_of
from tests.streams import Reader, following
from tests.waiting import until

pytestmark = pytest.mark.both

STREAM = "/v1/sites/blog/comments/stream"


async def test_a_stream_begins_with_the_present_revision_and_tells_what_happens(
    house: House,
) -> None:
    before = await house.publish()
    async with following(house) as reader:
        assert reader.status == 200
        assert 1_000 < reader.retry < 10_000
        assert (reader.last_id, reader.seen) == ("1", [])
        taken = await house.publish(text="I *like* this.")
        await reader.until(("approved", taken.id))
        listed = (await house.dave.get("/v1/sites/blog/comments?article=/post")).json()
        assert reader.events[0][1] == listed["comments"][1]
        assert reader.last_id == "2"
        await house.reject(before.id)
        await house.withdraw(taken)
        await reader.until(("approved", taken.id), ("removed", before.id), ("removed", taken.id))
        assert reader.events[1][1] == {"id": before.id}
        assert reader.last_id == "4"
        assert not reader.has_ended


async def test_what_is_not_seen_is_not_told(house: House) -> None:
    async with following(house) as reader:
        await house.reject((await house.submit()).id)
        await house.publish(article="/other")
        await house.try_submit(site="elsewhere")
        shown = await house.publish()
        await reader.until(("approved", shown.id))


async def test_a_tombstone_is_told_as_removed_and_what_goes_with_a_comment_too(
    house: House,
) -> None:
    root = await house.publish()
    reply = await house.publish(parent=root.id)
    async with following(house, after=0) as reader:
        expected = [("approved", root.id), ("approved", reply.id)]
        await reader.until(*expected)
        await house.withdraw(root)
        expected.append(("removed", root.id))
        await reader.until(*expected)
        await house.reject(reply.id)
        # The tombstone goes as well, which a page may still show.
        await reader.until(*expected, ("removed", root.id), ("removed", reply.id))


async def test_who_comes_back_gets_what_changed_meanwhile_once_and_as_it_is_now(
    house: House,
) -> None:
    async with following(house) as reader:
        known = await house.publish()
        await reader.until(("approved", known.id))
    fleeting, lasting = await house.publish(), await house.publish()
    await house.reject(fleeting.id)
    for place in ({"last": reader.last_id}, {"after": reader.last_id}, {"last": "1", "after": "0"}):
        async with following(house, **place) as again:
            await again.until(("approved", lasting.id), ("removed", fleeting.id))
            assert again.last_id == "4"


async def test_who_lost_the_connection_before_the_first_event_misses_none_either(
    house: House,
) -> None:
    async with following(house) as reader:
        pass
    taken = await house.publish()
    async with following(house, last=reader.last_id) as again:
        await again.until(("approved", taken.id))


@pytest.mark.parametrize("size", [1, 2, 3, 50])
async def test_changes_beyond_a_batch_follow_wherever_one_is_cut(
    house: House, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.publication.streams.BATCH", size)
    single = await house.publish()
    together = [(await house.submit()).id for _ in range(5)]
    # One revision for all of them.
    await house.approve(*together)
    last = await house.publish()
    ids = [single.id, *together, last.id]
    async with following(house, after=0) as reader:
        await reader.until(*(("approved", one) for one in ids))
        assert reader.last_id == "3"
    # Whoever is cut off after any of them gets all that he has not got.
    raw = reader.body.decode().split("\n\n")[:-1]
    for count in range(1, len(raw)):
        cut = Reader()
        cut.take(("\n\n".join(raw[:count]) + "\n\n").encode())
        async with following(house, last=cut.last_id) as again:
            missing = [one for one in ids if ("approved", one) not in cut.seen]

            async def has_all(again: Reader = again, missing: list[str] = missing) -> bool:
                return {("approved", one) for one in missing} <= set(again.seen)

            await until(has_all)


async def test_a_place_that_cannot_be_is_as_good_as_none(house: House) -> None:
    """A revision that is too high is from before a backup was put back."""
    expected = [("approved", (await house.publish()).id)]
    for last in ("", "x", "-1", "1.5", "7", "999999999", "9" * 40, "é"):
        async with following(house, last=last) as reader:
            assert (reader.status, reader.seen) == (200, []), last
            assert reader.last_id == str(len(expected))
            expected.append(("approved", (await house.publish()).id))
            await reader.until(expected[-1])


async def test_an_article_that_is_not_there_yet_can_be_followed(house: House) -> None:
    async with house.nothing_changes(), following(house, "/new") as reader:
        assert (reader.status, reader.last_id) == (200, "0")
    async with following(house, "/new") as reader:
        taken = await house.publish(article="/new")
        await reader.until(("approved", taken.id))


async def test_a_change_that_nobody_told_of_is_found_in_the_database(house: House) -> None:
    """As when another process changed it and there is no Redis."""
    taken = await house.publish()
    async with following(house) as reader:
        async with house.database.writing() as session:
            await session.exec(update(Comment).values(visibility="hidden", public_revision=2))
            await session.exec(update(Article).values(visible=0, revision=2))
        await reader.until(("removed", taken.id))


async def test_a_stream_outlives_a_change_of_its_site_and_the_closing_of_its_article(
    house: House,
) -> None:
    held = await house.submit()
    async with following(house) as reader:
        renamed = await house.alice.patch("/v1/sites/blog", json={"title": "Another"})
        assert renamed.status_code == 200
        closed = {"article": "/post", "state": "closed"}
        assert (await house.alice.post("/v1/sites/blog/articles", json=closed)).is_success
        await house.approve(held.id)
        await reader.until(("approved", held.id))


async def test_head_and_errors_end_at_once(house: House) -> None:
    async with following(house, method="HEAD") as head:
        assert (head.status, head.body, head.has_ended) == (200, b"", True)
        assert head.headers["content-type"] == "text/event-stream"
    problem_of(await house.dave.get("/v1/sites/nowhere/comments/stream?article=/post"), 404)
    expected: dict[str, dict[str, str]] = {
        "": {"article": "article_required"},
        "article=https://evil.example/": {"article": "article_not_allowed"},
        "article=/post&after=x": {"after": "after_invalid"},
        "article=/post&after=-1": {"after": "after_invalid"},
        f"article=/post&after={'9' * 30}": {"after": "after_invalid"},
    }
    for query, codes in expected.items():
        answer: httpx.Response = await house.dave.get(f"{STREAM}?{query}")
        assert codes_of(problem_of(answer, 422)) == codes, query


async def test_changes_are_read_by_their_index(house: House) -> None:
    await house.publish()
    with statements_of(house, "public_revision >") as sent:
        async with following(house, after=0) as reader:
            assert len(reader.seen) == 1
    plans: list[Any] = [await explain(house, *one) for one in sent]
    assert plans
    for plan in plans:
        assert "ix_comment_changes" in plan, plan
    assert BATCH <= 200
