"""The Atom feeds of an article and of a site: what they hold, and that every reader can read them."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.publication.feed import Feed, render_feed
from service.sites.directory import KnownSite
from service.sites.policy import SitePolicy
from service.text.normalising import normalise_line, normalise_text
from tests.answers import codes_of, headers_of, problem_of
from tests.cast import PUBLIC_URL, House
from tests.plans import explain, statements_of

pytestmark = pytest.mark.both

FEED = "/v1/sites/blog/comments.atom"
ATOM = "{http://www.w3.org/2005/Atom}"
THREAD = "{http://purl.org/syndication/thread/1.0}"


async def read(house: House, article: str | None = None) -> ElementTree.Element:
    query = {"article": article} if article else {}
    answer = await house.dave.get(FEED, params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    return parse(answer.content)


def parse(content: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(content)  # noqa: S314 - our own.


def ids(feed: ElementTree.Element) -> list[str]:
    entries = feed.findall(f"{ATOM}entry")
    return [entry.findtext(f"{ATOM}id", "").removeprefix("urn:uuid:") for entry in entries]


def links(element: ElementTree.Element) -> dict[str, str]:
    return {link.attrib["rel"]: link.attrib["href"] for link in element.findall(f"{ATOM}link")}


def texts(element: ElementTree.Element, *names: str) -> list[str | None]:
    return [element.findtext(ATOM + name.replace("/", f"/{ATOM}")) for name in names]


@pytest.mark.parametrize(
    ("url", "uri"),
    [
        ("http://x.example/{a}|b^c", "http://x.example/%7Ba%7D%7Cb%5Ec"),
        ("http://x.example/a[b]?c={d}#{e}", "http://x.example/a[b]?c=%7Bd%7D#%7Be%7D"),
        ("http://x.example/ü'b%20c", "http://x.example/ü'b%20c"),
        ("https://bücher.example/ä|", "https://bücher.example/ä%7C"),
    ],
)
async def test_the_page_of_a_commenter_is_an_iri(house: House, url: str, uri: str) -> None:
    await house.publish(url=url)
    [entry] = (await read(house)).findall(f"{ATOM}entry")
    assert texts(entry, "author/uri") == [uri]


async def test_an_entry_tells_what_the_list_tells_and_nothing_else(house: House) -> None:
    root = await house.publish(text="I *like* <this> & that.", url="https://dave.example/?a=1&b=2")
    house.clock.advance(hours=1)
    reply = await house.publish(name="Ann & <Co>", email="ann@mail.example", parent=root.id)
    feed = await read(house, "/post")
    assert texts(feed, "title", "updated") == [
        "Comments on Alice's blog: /post",
        "2026-05-01T13:00:00.000Z",
    ]
    assert links(feed) == {
        "self": f"{PUBLIC_URL}{FEED}?article=%2Fpost",
        "alternate": "https://blog.example/post",
    }
    answer, first = feed.findall(f"{ATOM}entry")
    names = ("id", "title", "updated", "published", "author/name", "author/uri", "content")
    assert texts(first, *names) == [
        f"urn:uuid:{root.id}",
        "Dave on /post",
        "2026-05-01T12:00:00.000Z",
        "2026-05-01T12:00:00.000Z",
        "Dave",
        "https://dave.example/?a=1&b=2",
        "<p>I <em>like</em> &lt;this&gt; &amp; that.</p>",
    ]
    content = first.find(f"{ATOM}content")
    assert content is not None
    assert content.attrib == {"type": "html"}
    assert links(first) == {"alternate": f"https://blog.example/post#comment-{root.id}"}
    assert first.find(f"{THREAD}in-reply-to") is None
    assert answer.findtext(f"{ATOM}author/{ATOM}name") == "Ann & <Co>"
    answered = answer.find(f"{THREAD}in-reply-to")
    assert answered is not None
    assert answered.attrib == {
        "ref": f"urn:uuid:{root.id}",
        "href": f"https://blog.example/post#comment-{root.id}",
    }
    tags = {one.tag.rpartition("}")[2] for one in answer.iter()}
    assert tags == {
        *("entry", "id", "title", "updated", "published", "author", "name", "link"),
        *("in-reply-to", "content"),
    }
    assert answer.findtext(f"{ATOM}id") == f"urn:uuid:{reply.id}"


async def test_the_newest_fifty_visible_comments_come_newest_first(house: House) -> None:
    first = await house.publish()
    written = [(await house.submit()).id for _ in range(51)]
    await house.approve(*written)
    pending, elsewhere = await house.submit(), await house.publish(article="/other")
    expected = written[::-1][:50]
    assert ids(await read(house, "/post")) == expected
    assert ids(await read(house)) == [elsewhere.id, *expected[:49]]
    assert not {first.id, pending.id} & set(ids(await read(house)))


async def test_tombstones_are_in_no_feed(house: House) -> None:
    root = await house.publish()
    reply = await house.publish(parent=root.id)
    await house.withdraw(root)
    for article in ("/post", None):
        assert ids(await read(house, article)) == [reply.id]


async def test_the_feed_of_a_site_shows_every_decision_at_once(house: House) -> None:
    assert ids(await read(house)) == []
    one = await house.publish()
    assert ids(await read(house)) == [one.id]
    two = await house.publish(article="/other")
    assert ids(await read(house)) == [two.id, one.id]
    await house.reject(two.id)
    assert ids(await read(house)) == [one.id]
    await house.withdraw(one)
    assert ids(await read(house)) == []


async def test_links_go_to_the_pages_own_host_and_a_key_that_is_no_address_has_none(
    house: House,
) -> None:
    for article, url in {
        "https://www.blog.example/a?b=1": "https://www.blog.example/a?b=1",
        "/café": "https://blog.example/café",
        "42": None,
    }.items():
        taken = await house.publish(article=article)
        feed = await read(house, article)
        entry = feed.find(f"{ATOM}entry")
        assert entry is not None
        assert links(feed).get("alternate") == url
        assert links(entry) == ({"alternate": f"{url}#comment-{taken.id}"} if url else {})


async def test_nothing_unseen_changes_a_feed(house: House) -> None:
    async def look() -> list[tuple[bytes, str]]:
        urls = (FEED, f"{FEED}?article=/post", f"{FEED}?article=/nothing")
        answers = [await house.dave.get(url) for url in urls]
        return [(answer.content, answer.headers["etag"]) for answer in answers]

    empty = await look()
    held = await house.submit()
    await house.reject(held.id)
    house.clock.advance(days=1)
    assert await look() == empty
    shown = await house.publish()
    seen = await look()
    assert seen != empty
    await house.spam(held.id)
    await house.submit(parent=shown.id)
    assert await look() == seen


async def test_a_feed_is_kept_by_caches_as_the_list_is(house: House) -> None:
    await house.publish()
    page = (await house.dave.get("/v1/sites/blog/comments?article=/post")).headers
    for url in (FEED, f"{FEED}?article=/post"):
        first = await house.dave.get(url)
        again = await house.dave.get(url)
        assert (again.content, headers_of(again)) == (first.content, headers_of(first))
        tag = {"if-none-match": first.headers["etag"]}
        assert (await house.dave.get(url, headers=tag)).status_code == 304
        for name in ("cache-control", "vary", "access-control-allow-origin"):
            assert first.headers[name] == page[name]
    site, article = page["surrogate-key"].split()
    keys = [
        (await house.dave.get(url)).headers["surrogate-key"].split()
        for url in (FEED, f"{FEED}?article=/post")
    ]
    assert keys[1] == [site, article]
    assert keys[0][0] == site
    # To purge it must not purge all of the site.
    assert keys[0][1] not in {site, article}


async def test_no_address_is_in_a_feed(house: House) -> None:
    await house.publish(email="dave@mail.example", text="Write to me.")
    for url in (FEED, f"{FEED}?article=/post"):
        assert "mail.example" not in (await house.dave.get(url)).text


async def test_unknown_sites_and_articles_that_cannot_be(house: House) -> None:
    problem_of(await house.dave.get("/v1/sites/nowhere/comments.atom"), 404)
    answer = await house.dave.get(FEED, params={"article": "https://evil.example/"})
    assert codes_of(problem_of(answer, 422)) == {"article": "article_not_allowed"}
    problem_of(await house.dave.get(f"{FEED}?article="), 422)


async def test_a_feed_is_one_walk_along_an_index(house: House) -> None:
    await house.publish()
    indexes = {None: "ix_comment_site_feed", "/post": "ix_comment_feed"}
    for article, index in indexes.items():
        with statements_of(house, "FROM comment") as sent:
            await read(house, article)
        [(statement, values)] = sent
        plan = await explain(house, statement, values)
        assert index in plan, plan
        # Of the article's feed only what was found is sorted, fifty comments.
        assert article or ("B-TREE" not in plan and "Sort" not in plan), plan
    with statements_of(house, "ORDER BY article.changed_at") as sent:
        await house.publish()
        await read(house)
    [(statement, values)] = sent
    assert "ix_article_changed" in await explain(house, statement, values)


SITE = KnownSite(UUID(int=1 << 80), "blog", "Blog", ("https://blog.example",), SitePolicy())
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
anything = st.text(st.characters(codec="utf-8"), max_size=30)


def row(name: str, content: str, article: str, url: str | None) -> Any:
    return SimpleNamespace(
        id=UUID(int=5),
        key=article,
        parent_id=UUID(int=4),
        visibility="visible",
        name=name,
        url=url,
        html=content,
        submitted_at=NOON,
        published=NOON,
        changed_at=None,
        edited=False,
        badge=None,
    )


# On a busy machine an example may take long, which is not the question.
@given(
    name=anything.map(normalise_line),
    content=anything.map(normalise_text),
    article=anything.map(lambda key: f"/{key}"),
    url=st.none() | anything,
)
def test_whatever_comes_through_a_submission_leaves_a_feed_well_formed(
    name: str, content: str, article: str, url: str | None
) -> None:
    expect_readable(name, content, article, url, lambda found: found)


@given(name=anything, content=anything)
def test_even_what_submission_would_have_removed_does(name: str, content: str) -> None:
    expect_readable(name, content, "/post", None, as_xml_reads)


def as_xml_reads(text: str) -> str:
    """Give a text with the ends of its lines as a parser hands them on (XML 1.0, section 2.11)."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def expect_readable(
    name: str, content: str, article: str, url: str | None, read_as: Callable[[str], str]
) -> None:
    for whole in (None, article):
        feed = parse(
            render_feed(Feed(SITE, whole, [row(name, content, article, url)], None, "https://t.example"))
        )
        entry = feed.find(f"{ATOM}entry")
        assert entry is not None
        for path, original in {f"{ATOM}author/{ATOM}name": name, f"{ATOM}content": content}.items():
            found = entry.findtext(path, "")
            assert len(found) == len(read_as(original))
            kept = [(a, b) for a, b in zip(found, read_as(original), strict=False) if a != "\ufffd"]
            assert all(a == b for a, b in kept)


async def test_an_address_in_a_feed_is_an_iri(house: House) -> None:
    await house.publish(article="/ä <b>\"'|{}")
    feed = await house.dave.get("/v1/sites/blog/comments.atom")
    addresses = [link.get("href", "") for link in parse(feed.content).iter(f"{ATOM}link")]
    address = "https://blog.example/ä%20%3Cb%3E%22'%7C%7B%7D"
    assert any(one.startswith(f"{address}#comment-") for one in addresses)
