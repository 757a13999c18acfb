"""Comments without JavaScript beyond the first page: what answers what, and the ways on and back."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import html5lib
import pytest

from tests.cast import PUBLIC_URL, House
from tests.plans import statements_of

FRAGMENT = "/v1/sites/blog/comments.html"
VIEWS = ("include", "page")


async def get(house: House, **query: Any) -> str:
    asked = {"article": "/post", **query}
    answer = await house.dave.get(FRAGMENT, params=asked)
    assert answer.status_code == 200, answer.text
    return answer.text


async def follow(house: House, link: str) -> str:
    answer = await house.dave.get(link.removeprefix(PUBLIC_URL).partition("#")[0])
    assert answer.status_code == 200, answer.text
    return answer.text


def links(html: str, part: str = "link") -> dict[str, str]:
    """Give the addresses of links with exactly this `part`, by their words."""
    found = re.findall(rf'<a part="{part}" href="([^"]*)"[^>]*>(.*?)</a>', html, re.DOTALL)
    return {re.sub("<[^>]*>", "", words): unescape(address) for address, words in found}


def shown(html: str) -> list[str]:
    return re.findall(r'id="comment-([^"]+)"', html)


@pytest.mark.parametrize("view", VIEWS)
async def test_an_answer_to_what_stands_on_another_page_names_it_and_leads_there(
    house: House, view: str
) -> None:
    asked = await house.publish(name="Ann <&> {0}")
    await house.publish()
    first = await house.publish(parent=asked.id)
    second = await house.publish(parent=first.id)
    html = await get(house, view=view, limit=2, around=first.id)
    assert shown(html) == [first.id, second.id]
    named = links(html)
    # Only the first of them answers what is not here.
    assert [words for words in named if "Ann" in words] == ["In reply to Ann &lt;&amp;&gt; {0}"]
    [link] = [address for words, address in named.items() if "Ann" in words]
    assert urlsplit(link).fragment == f"comment-{asked.id}"
    assert parse_qs(urlsplit(link).query)["view"] == ["page"]
    assert asked.id in shown(await follow(house, link))
    with statements_of(house, "comment.name") as sent:
        whole = await get(house, view=view, limit=9)
    assert len(sent) == 1
    assert "In reply to" not in whole


async def test_an_answer_to_a_tombstone_elsewhere_says_that_it_is_gone(house: House) -> None:
    asked = await house.publish(name="Ann")
    for _ in range(2):
        reply = await house.publish(parent=asked.id)
    await house.withdraw(asked)
    html = await get(house, limit=1, around=reply.id)
    assert "Ann" not in html
    [link] = [address for words, address in links(html).items() if "no longer here" in words]
    assert asked.id in shown(await follow(house, link))


@pytest.mark.parametrize("view", VIEWS)
async def test_the_newest_threads_come_first_and_in_them_the_oldest_answers(house: House, view: str) -> None:
    one, two = await house.publish(), await house.publish()
    answers = [(await house.publish(parent=one.id)).id for _ in range(2)]
    below = (await house.publish(parent=answers[0])).id
    html = await get(house, view=view, order="newest")
    assert shown(html) == [two.id, one.id, answers[0], below, answers[1]]
    # What the script gets is in the order of the list.
    page = await house.read(order="newest")
    assert [comment.id for comment in page.comments] == sorted(shown(html), reverse=True)


@pytest.mark.parametrize("order", ["oldest", "newest"])
async def test_later_pages_lead_back(house: House, order: str) -> None:
    written = [(await house.publish()).id for _ in range(5)]
    listed = written if order == "oldest" else written[::-1]
    first = await get(house, order=order, limit=2)
    assert links(first, "link previous") == {}
    second = await follow(house, links(first, "link more")["More comments"])
    assert shown(second) == listed[2:4]
    back = links(second, "link previous")["Previous comments"]
    assert shown(await follow(house, back)) == listed[:2]
    assert shown(await follow(house, links(second)["All comments"])) == listed[:2]
    assert links(second)["Back to the article"] == "https://blog.example/post"


@pytest.mark.parametrize("view", VIEWS)
async def test_nobody_is_said_to_have_commented_only_where_there_is_no_comment_at_all(
    house: House, view: str
) -> None:
    empty = '<p part="soft empty">Nobody has commented yet'
    assert empty in await get(house, view=view)
    written = [(await house.publish()).id for _ in range(3)]
    first = await get(house, view=view, limit=1)
    second = await follow(house, links(first, "link more")["More comments"])
    await house.reject(written[0])
    gone = await follow(house, links(second, "link previous")["Previous comments"])
    assert (shown(gone), empty in gone) == ([], False)
    assert shown(await follow(house, links(gone, "link more")["More comments"])) == [written[1]]


async def test_the_page_of_a_reply_leads_back_to_what_is_answered(house: House) -> None:
    root = await house.publish(name="Ann")
    written = [(await house.publish(parent=root.id)).id for _ in range(4)]
    html = await get(house, view="page", limit=2, parent=written[3])
    assert links(html)["In reply to Ann"].endswith(f"#comment-{root.id}")
    assert links(html)["Back to the article"] == "https://blog.example/post"
    assert written[3] in shown(await follow(house, links(html)["All comments"]))


@pytest.mark.parametrize("asks", ["around", "parent", "cursor"])
async def test_a_link_to_what_is_gone_leads_back_to_what_is_there(house: House, asks: str) -> None:
    await house.publish(name="Ann")
    gone = await house.publish()
    await house.withdraw(gone)
    kept = {"view": "page", "lang": "de", "redirect_to": "/a?b&c"}
    query = {"article": "/post", **kept, asks: gone.id}
    refused = await house.dave.get(FRAGMENT, params=query)
    assert refused.status_code == (422 if asks == "cursor" else 404)
    ways = re.findall(r'<a href="([^"]*)"( target="_top")?>(.*?)</a>', refused.text)
    assert [(words, bool(top)) for _, top, words in ways] == [
        ("All comments", False),
        ("Back to the article", True),
    ]
    assert ways[1][0] == "https://blog.example/post"
    comments = await follow(house, unescape(ways[0][0]))
    assert "Ann" in comments
    asked = parse_qs(urlsplit(unescape(ways[0][0])).query)
    assert asked == {"article": ["/post"], **{name: [value] for name, value in kept.items()}}


async def test_what_is_not_known_or_wrong_is_no_way_back(house: House) -> None:
    gone = {"view": "page", "around": "x"}
    for query in (gone, {**gone, "article": "https://evil.example/"}):
        assert "<a " not in (await house.dave.get(FRAGMENT, params=query)).text
    refused = await house.dave.get(FRAGMENT, params={**gone, "article": "42", "limit": "0"})
    [way] = re.findall(r'<a href="([^"]*)">', refused.text)
    assert parse_qs(urlsplit(unescape(way)).query) == {"article": ["42"], "view": ["page"]}


@pytest.mark.parametrize("view", VIEWS)
async def test_what_is_too_deep_in_its_thread_offers_no_form(house: House, view: str) -> None:
    await house.set("max_depth=1")
    root = await house.publish(name="Ann")
    reply = await house.publish(name="Ben", parent=root.id)
    # Where it stands on the page says nothing about how deep it is.
    for query in ({}, {"around": reply.id, "limit": 1}, {"order": "newest", "limit": 1}):
        html = await get(house, view=view, **query)
        assert reply.id in shown(html)
        assert f"parent={reply.id}" not in html
        assert (f"parent={root.id}#" in html) == (root.id in shown(html))
        assert "<form" in html
    alone = await get(house, view=view, parent=reply.id)
    assert (shown(alone), "<form" in alone) == ([reply.id], False)
    assert "All comments" in links(alone)
    assert "<form" in await get(house, view=view, parent=root.id)


@pytest.mark.parametrize("article", ["/post", "42"])
async def test_the_address_of_a_comment_is_whole_and_shows_it(house: House, article: str) -> None:
    written = [(await house.publish(article=article)).id for _ in range(4)]
    included = await get(house, article=article)
    page = await get(house, article=article, view="page", limit=1)
    for html in (included, page):
        dates = re.findall(r'part="link date" href="([^"]*)"', html)
        for comment_id, address in zip(written, map(unescape, dates), strict=False):
            if html is included and article == "/post":
                assert address == f"https://blog.example/post#comment-{comment_id}"
            else:
                assert urlsplit(address).fragment == f"comment-{comment_id}"
                assert comment_id in shown(await follow(house, address))


async def test_a_part_that_the_article_does_not_begin_with_has_addresses_of_its_own(
    house: House,
) -> None:
    written = [(await house.publish()).id for _ in range(3)]
    html = await get(house, limit=1, around=written[1])
    [address] = re.findall(r'part="link date" href="([^"]*)"', html)
    assert unescape(address).startswith(PUBLIC_URL)
    assert shown(await follow(house, unescape(address))) == [written[1]]


async def test_the_widget_s_data_leads_back_too_and_its_links_stay_in_the_page(
    house: House,
) -> None:
    written = [(await house.publish()).id for _ in range(3)]
    html = await get(house, view="widget", limit=1, around=written[1])
    document = html5lib.parse(html, namespaceHTMLElements=False)
    [data] = [one.text or "" for one in document.iter("script")]
    page = await house.read(limit=1, around=written[1])
    assert f'"previous":"{page.previous}","next":"{page.next}"' in data
    assert f'href="#comment-{written[1]}"' in html
    for words in ("Previous comments", "All comments"):
        assert f">{words}<" not in html


async def test_where_the_form_leads_is_kept_on_every_way(house: House) -> None:
    root = await house.publish()
    for _ in range(3):
        await house.publish(parent=root.id)
    second = await follow(
        house,
        links(await get(house, limit=2, redirect_to="/a?b=1&c"), "link more")["More comments"],
    )
    ways = {**links(second), **links(second, "link previous"), **links(second, "link reply")}
    ours = [address for address in ways.values() if address.startswith(PUBLIC_URL)]
    assert len(ours) == 4
    for address in ours:
        assert parse_qs(urlsplit(address).query)["redirect_to"] == ["/a?b=1&c"]
