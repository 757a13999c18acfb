"""The public page of an article: what it shows, in which order, and how one walks through it."""

from typing import Any
from urllib.parse import quote

import pytest

from service.publication.avatars import avatar_path
from service.publication.schemas import CommentPage
from tests.answers import codes_of, problem_of
from tests.cast import House

pytestmark = pytest.mark.both

PAGE = "/v1/sites/blog/comments"


async def test_a_page_has_the_contracts_fields_and_nothing_else(house: House) -> None:
    root = await house.publish(name="Dave", url="https://dave.example/", text="I *like* this.")
    house.clock.advance(hours=1)
    reply = await house.publish(name="Ann", email="ann@mail.example", text="Me too", parent=root.id)
    page = (await house.dave.get(PAGE, params={"article": "/post"})).json()
    assert page == {
        "article": "/post",
        "count": 2,
        "comments": [
            {
                "id": root.id,
                "parent": None,
                "name": "Dave",
                "url": "https://dave.example/",
                "avatar": avatar_path("Dave"),
                "html": "<p>I <em>like</em> this.</p>",
                "created_at": "2026-05-01T12:00:00Z",
                "edited": False,
                "badge": None,
            },
            {
                "id": reply.id,
                "parent": root.id,
                "name": "Ann",
                "url": None,
                "avatar": avatar_path("Ann"),
                "html": "<p>Me too</p>",
                "created_at": "2026-05-01T13:00:00Z",
                "edited": False,
                "badge": None,
            },
        ],
        "previous": None,
        "next": None,
    }


async def test_only_approved_comments_show(house: House) -> None:
    for decide in (house.reject, house.spam):
        await decide((await house.submit()).id)
    pending = await house.submit()
    approved = await house.publish()
    assert ids(await house.read()) == [approved.id]
    await house.approve(pending.id)
    await house.requeue(approved.id)
    assert ids(await house.read()) == [pending.id]


def ids(page: CommentPage) -> list[str]:
    assert page.count == len(page.comments)
    return [comment.id for comment in page.comments]


async def test_the_order_is_that_of_the_ids_and_not_of_decisions(house: House) -> None:
    written = [(await house.submit()).id for _ in range(3)]
    for one in (written[1], written[2], written[0]):
        await house.approve(one)
    assert ids(await house.read()) == sorted(written) == written
    assert ids(await house.read(order="newest")) == written[::-1]


async def walk(house: House, order: str, limit: int) -> list[str]:
    """Follow the cursors to the end."""
    found: list[str] = []
    query: dict[str, Any] = {"order": order, "limit": limit}
    while True:
        page = await house.read(**query)
        assert len(page.comments) <= limit
        found += [comment.id for comment in page.comments]
        if page.next is None:
            return found
        assert len(page.comments) == limit
        query["cursor"] = page.next


async def test_the_cursors_lead_to_every_comment_once(house: House) -> None:
    written = [(await house.publish()).id for _ in range(6)]
    for limit in (1, 2, 3, 5, 6, 7):
        assert await walk(house, "oldest", limit) == written
        assert await walk(house, "newest", limit) == written[::-1]


async def test_what_is_approved_meanwhile_is_neither_repeated_nor_skips_another(
    house: House,
) -> None:
    held = await house.submit()
    shown = [(await house.publish()).id for _ in range(4)]
    first = await house.read(limit=2)
    await house.approve(held.id)
    await house.reject(shown[0])
    rest = await house.read(limit=10, cursor=first.next or "")
    assert [comment.id for comment in rest.comments] == shown[2:]


async def test_the_count_is_that_of_the_whole_article(house: House) -> None:
    for _ in range(3):
        await house.publish()
    assert (await house.read(limit=1)).count == 3


async def test_a_page_has_fifty_by_default_and_two_hundred_at_most(house: House) -> None:
    written = [(await house.submit()).id for _ in range(51)]
    await house.approve(*written)
    page = await house.read()
    assert [comment.id for comment in page.comments] == written[:50]
    assert len((await house.read(limit=200)).comments) == 51


async def test_articles_are_asked_for_by_any_of_their_addresses(house: House) -> None:
    await house.publish(article="/café/")
    for spelling in (
        "/café",
        "https://blog.example/caf%C3%A9/?utm_source=x#top",
        "http://blog.example//cafe\u0301",
    ):
        page = await house.read(spelling)
        assert (page.article, page.count) == ("/café", 1)
    assert (await house.read("https://www.blog.example/café")).count == 0


async def test_an_unknown_article_is_an_empty_list_and_reading_it_creates_nothing(
    house: House,
) -> None:
    async with house.nothing_changes():
        answer = await house.dave.get(PAGE, params={"article": "/nothing/here/"})
    assert answer.status_code == 200
    assert answer.json() == {
        "article": "/nothing/here",
        "count": 0,
        "comments": [],
        "previous": None,
        "next": None,
    }


async def test_the_comments_of_another_site_do_not_show(house: House) -> None:
    await house.publish()
    assert (await house.read(site="elsewhere")).count == 0


async def test_every_wrong_parameter_is_named_at_once(house: House) -> None:
    answer = await house.dave.get(f"{PAGE}?order=best&limit=0&cursor={'x' * 301}")
    problem = problem_of(answer, 422)
    assert codes_of(problem) == {
        "article": "article_required",
        "order": "order_invalid",
        "limit": "limit_invalid",
        "cursor": "cursor_too_long",
    }
    assert all(error.pointer is None for error in problem.errors or [])


async def test_a_limit_is_a_number_from_1_to_200(house: House) -> None:
    for limit in (
        "0",
        "-1",
        "201",
        "1.5",
        "ten",
        "",
        "1_0",
        "９",
        "1e1",
        "1e0",
        "+1",
        "10.0",
        " 1",
    ):
        answer = await house.dave.get(f"{PAGE}?article=/post&limit={quote(limit)}")
        assert codes_of(problem_of(answer, 422)) == {"limit": "limit_invalid"}, limit
    for limit in ("1", "200"):
        assert (await house.dave.get(f"{PAGE}?article=/post&limit={limit}")).status_code == 200


async def test_a_cursor_that_was_not_given_out_is_invalid(house: House) -> None:
    for _ in range(2):
        await house.publish()
    cursor = (await house.read(limit=1)).next
    assert cursor
    for wrong in ("", "x", "ü", cursor[:-1], cursor + "A", cursor + "=", cursor.swapcase()):
        answer = await house.dave.get(PAGE, params={"article": "/post", "cursor": wrong})
        assert codes_of(problem_of(answer, 422)) == {"cursor": "cursor_invalid"}, wrong
    other_order = {"article": "/post", "cursor": cursor, "order": "newest"}
    problem_of(await house.dave.get(PAGE, params=other_order), 422)


async def test_an_article_that_cannot_be_one_is_named(house: House) -> None:
    for article, code in {
        "": "required",
        "https://evil.example/": "not_allowed",
        "a" * 513: "too_long",
        "a\x00b": "invalid",
        "a\x07b": "invalid",
    }.items():
        answer = await house.dave.get(PAGE, params={"article": article})
        assert codes_of(problem_of(answer, 422)) == {"article": f"article_{code}"}, article
    bad_utf8 = await house.dave.get(f"{PAGE}?article=%FF")
    assert codes_of(problem_of(bad_utf8, 422)) == {"article": "article_invalid"}


async def test_an_unknown_site_is_404(house: House) -> None:
    problem_of(await house.dave.get("/v1/sites/nowhere/comments?article=/post"), 404)
