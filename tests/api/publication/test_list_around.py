"""Walking through an article in both directions, and finding the place of one comment in it."""

from typing import Literal
from uuid import UUID, uuid4

import pytest

from service.http.cursors import Position, make_cursor
from service.publication.schemas import CommentPage
from tests.answers import codes_of, headers_of, problem_of
from tests.cast import House
from tests.plans import explain, statements_of

pytestmark = pytest.mark.both

PAGE = "/v1/sites/blog/comments"
FRAGMENT = "/v1/sites/blog/comments.html"
ORDERS: tuple[Literal["oldest", "newest"], ...] = ("oldest", "newest")
LIMITS = (1, 2, 3, 4, 6, 7, 8, 200)


async def write(house: House) -> list[str]:
    """Publish six comments and a tombstone, with one between them that waits."""
    written = [await house.publish() for _ in range(3)]
    written.append(await house.publish(parent=written[0].id))
    await house.submit()
    written += [await house.publish() for _ in range(3)]
    await house.withdraw(written[0])
    return [one.id for one in written]


def ids(page: CommentPage) -> list[str]:
    return [comment.id for comment in page.comments]


async def walk_back(house: House, page: CommentPage, order: str, limit: int) -> list[str]:
    """Follow `previous` to the beginning; gives what is met, in the order of the list."""
    found: list[str] = []
    while page.previous:
        page = await house.read(order=order, limit=limit, cursor=page.previous)
        assert 1 <= len(page.comments) <= limit
        found = ids(page) + found
    return found


async def walk_on(house: House, page: CommentPage, order: str, limit: int) -> list[str]:
    found: list[str] = []
    while page.next:
        page = await house.read(order=order, limit=limit, cursor=page.next)
        assert 1 <= len(page.comments) <= limit
        found += ids(page)
    return found


async def test_previous_leads_to_the_very_page_that_next_came_from(house: House) -> None:
    await write(house)
    for order in ORDERS:
        for limit in LIMITS:
            page = await house.read(order=order, limit=limit)
            assert page.previous is None
            while page.next:
                following = await house.read(order=order, limit=limit, cursor=page.next)
                assert following.previous
                before = await house.read(order=order, limit=limit, cursor=following.previous)
                assert ids(before) == ids(page)
                assert (before.previous is None, before.next) == (page.previous is None, page.next)
                page = following
            written = await walk_back(house, page, order, limit) + ids(page)
            assert sorted(written, reverse=order == "newest") == written
            assert len({*written}) == len(written) == 7


async def test_what_stands_round_any_comment_is_a_part_of_the_list(house: House) -> None:
    written = await write(house)
    for order in ORDERS:
        listed = written if order == "oldest" else written[::-1]
        for limit in LIMITS:
            for place, one in enumerate(listed):
                page = await house.read(order=order, limit=limit, around=one)
                shown = ids(page)
                assert one in shown
                assert len(shown) == min(limit, len(listed))
                start = listed.index(shown[0])
                assert shown == listed[start : start + len(shown)]
                # In the middle, as far as there is something on both sides.
                left, right = place - start, start + len(shown) - 1 - place
                assert abs(left - right) <= 1 or not (page.previous and page.next)
                assert bool(page.previous) == (start > 0)
                assert bool(page.next) == (start + len(shown) < len(listed))
                back = await walk_back(house, page, order, limit)
                assert back + shown + await walk_on(house, page, order, limit) == listed


async def test_a_tombstone_is_found_as_it_stands_in_the_list(house: House) -> None:
    written = await write(house)
    page = await house.read(around=written[0], limit=3)
    assert (page.comments[0].id, page.comments[0].name) == (written[0], None)
    assert page.count == 6


async def test_the_article_may_be_left_out(house: House) -> None:
    comment = await house.publish(article="https://www.blog.example/a?b=1")
    answer = (await house.dave.get(PAGE, params={"around": comment.id})).json()
    assert answer["article"] == "//www.blog.example/a?b=1"
    assert [one["id"] for one in answer["comments"]] == [comment.id]
    named = {"around": comment.id, "article": "https://www.blog.example/a?b=1&utm_source=x"}
    assert (await house.dave.get(PAGE, params=named)).json() == answer


@pytest.mark.parametrize("path", [PAGE, FRAGMENT])
async def test_what_is_not_to_be_seen_here_is_one_404(house: House, path: str) -> None:
    shown = await house.publish()
    hidden = await house.publish(parent=(below := await house.publish()).id)
    await house.reject(below.id)
    held = await house.submit()
    foreign = await house.submit(site="elsewhere", email="dave@mail.example")
    asked = [
        {"around": shown.id, "article": "/other"},
        *({"around": one.id} for one in (hidden, held, foreign)),
        {"around": held.id, "article": "/post"},
        *({"around": one} for one in (str(uuid4()), "", "x", "0", shown.id.upper(), "\u0661" * 36)),
    ]
    bodies = set()
    for query in asked:
        answer = await house.dave.get(path, params=query)
        problem_of(answer, 404)
        bodies.add(answer.content)
    assert len(bodies) == 1


async def test_a_cursor_beside_it_and_no_article_without_it_are_named(house: House) -> None:
    comment = await house.publish()
    await house.publish()
    cursor = (await house.read(limit=1)).next
    for path in (PAGE, FRAGMENT):
        for one in (cursor, "x"):
            both = await house.dave.get(path, params={"around": comment.id, "cursor": one})
            assert codes_of(problem_of(both, 422)) == {"cursor": "cursor_not_allowed"}
        wrong = await house.dave.get(path, params={"around": "x" * 101, "limit": 0})
        assert codes_of(problem_of(wrong, 422)) == {
            "around": "around_too_long",
            "limit": "limit_invalid",
        }
        neither = await house.dave.get(path)
        assert codes_of(problem_of(neither, 422)) == {"article": "article_required"}


async def test_a_way_back_is_good_under_its_own_order_alone(house: House) -> None:
    await write(house)
    second = await house.read(limit=2, cursor=(await house.read(limit=2)).next or "")
    asked = {"article": "/post", "cursor": second.previous, "order": "newest"}
    answer = await house.dave.get(PAGE, params=asked)
    assert codes_of(problem_of(answer, 422)) == {"cursor": "cursor_invalid"}
    queue = {"cursor": second.previous, "status": "approved"}
    problem_of(await house.bob.get("/v1/moderation/comments", params=queue), 422)


async def test_where_all_has_gone_meanwhile_the_ways_lead_back_to_what_there_is(
    house: House,
) -> None:
    written = [(await house.publish()).id for _ in range(6)]
    first = await house.read(limit=2)
    last = await house.read(limit=2, around=written[-1])
    await house.reject(*written[:2], *written[4:])
    for page in (
        await house.read(limit=2, cursor=last.previous or ""),
        await house.read(limit=2, cursor=first.next or ""),
    ):
        assert ids(page) == written[2:4]
    beyond = await house.read(cursor=make_cursor(Position("oldest", UUID(written[-1]))))
    assert (ids(beyond), beyond.next) == ([], None)
    assert ids(await house.read(cursor=beyond.previous or "")) == written[2:4]
    before = await house.read(cursor=make_cursor(Position("-oldest", UUID(written[0]))))
    assert (ids(before), before.previous) == ([], None)
    assert ids(await house.read(cursor=before.next or "")) == written[2:4]


async def test_no_way_leads_to_where_nothing_is_any_more(house: House) -> None:
    written = [(await house.publish()).id for _ in range(3)]
    # Its neighbours in the index are of other articles.
    for article in ("/before", "/behind"):
        await house.publish(article=article)
    for order in ORDERS:
        listed = written if order == "oldest" else written[::-1]
        first = await house.read(order=order, limit=1)
        second = await house.read(order=order, limit=1, cursor=first.next or "")
        third = await house.read(order=order, limit=1, cursor=second.next or "")
        await house.reject(listed[0])
        second = await house.read(order=order, limit=1, cursor=first.next or "")
        assert (ids(second), second.previous, bool(second.next)) == ([listed[1]], None, True)
        await house.approve(listed[0])
        await house.reject(listed[2])
        second = await house.read(order=order, limit=1, cursor=third.previous or "")
        assert (ids(second), bool(second.previous), second.next) == ([listed[1]], True, None)
        await house.approve(listed[2])


async def test_it_is_compared_by_its_tag_and_not_kept(house: House) -> None:
    comment = await house.publish()
    listed = await house.dave.get(PAGE, params={"article": "/post"})
    for path in (PAGE, FRAGMENT):
        query = {"around": comment.id, "redirect_to": "/here"}
        with statements_of(house, "FROM article LEFT OUTER JOIN") as sent:
            first = await house.dave.get(path, params=query)
            again = await house.dave.get(path, params=query)
        # Both are read, each with a walk to either side.
        assert len(sent) == 4
        assert (again.content, headers_of(again)) == (first.content, headers_of(first))
        tag = {"if-none-match": first.headers["etag"]}
        assert (await house.dave.get(path, params=query, headers=tag)).status_code == 304
        for name in ("cache-control", "vary", "access-control-allow-origin", "surrogate-key"):
            assert first.headers[name] == listed.headers[name]
    await house.reject(comment.id)
    assert (await house.dave.get(PAGE, params={"around": comment.id})).status_code == 404


async def test_pages_on_the_way_back_are_kept_as_all_pages_are(house: House) -> None:
    await write(house)
    second = await house.read(limit=2, cursor=(await house.read(limit=2)).next or "")
    with statements_of(house, "FROM article LEFT OUTER JOIN") as sent:
        for _ in range(3):
            await house.read(limit=2, cursor=second.previous or "")
    assert len(sent) == 1


async def test_to_find_a_comment_is_to_walk_along_an_index_from_it(house: House) -> None:
    written = await write(house)
    for order in ORDERS:
        with statements_of(house, "FROM comment") as sent:
            await house.read(order=order, around=written[3])
        assert len(sent) == 3
        for statement, values in sent:
            plan = await explain(house, statement, values)
            if "LEFT OUTER JOIN" in statement:
                # For the page, and for whether there is anything behind it.
                assert plan.count("ix_comment_public") == 2, plan
