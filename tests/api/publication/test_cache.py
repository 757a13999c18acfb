"""Public answers from the cache: the same as the first one, made once for all, and never out of date."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import event
from sqlmodel import update

from service.clock import new_id
from service.comments.tables import Article, Comment
from service.services import Services
from tests.answers import headers_of, problem_of
from tests.cast import PUBLIC_URL, Furnished, House, open_house
from tests.waiting import until

PAGE = "/v1/sites/blog/comments?article=/post"
LONG = "Long enough that a coding saves something. " * 30


def services_of(house: House) -> Services:
    services: Services = house.app.process.services
    return services


@contextmanager
def statements(house: House) -> Iterator[list[str]]:
    """Note what the service asks its database meanwhile about comments."""
    asked: list[str] = []
    engine = services_of(house).database.pages.engine.sync_engine

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "FROM comment" in statement:
            asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def shown(answer: httpx.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    return answer.status_code, answer.content, headers_of(answer)


@pytest.mark.parametrize("coding", ["identity", "gzip", "br"])
async def test_the_answer_from_the_cache_is_that_from_the_router(house: House, coding: str) -> None:
    taken = await house.publish(text=LONG)
    for url in (PAGE, f"/v1/sites/blog/comments/{taken.id}", "/v1/sites/blog/counts?article=/post"):
        headers = {"accept-encoding": coding}
        first = await house.dave.get(url, headers=headers)
        with statements(house) as asked:
            again = await house.dave.get(url, headers=headers)
            head = await house.dave.head(url, headers=headers)
        assert shown(again) == shown(first)
        assert (head.content, headers_of(head)) == (b"", headers_of(first))
        assert asked == []


async def test_what_was_asked_for_with_a_tag_first_is_stored_as_well(house: House) -> None:
    tag = (await house.dave.get(PAGE)).headers["etag"]
    await house.publish()
    answers = [await house.dave.get(PAGE, headers={"if-none-match": tag}) for _ in range(2)]
    assert shown(answers[0]) == shown(answers[1])
    new = {"if-none-match": answers[0].headers["etag"]}
    assert (await house.dave.get(PAGE, headers=new)).status_code == 304


async def test_a_thousand_who_wait_for_one_page_cause_one_query(house: House) -> None:
    await house.publish()
    with statements(house) as asked:
        answers = await asyncio.gather(*(house.dave.get(PAGE) for _ in range(1_000)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len(asked) == 1


FRAGMENT = "/v1/sites/blog/comments.html?article=/post"


async def test_what_does_not_change_an_answer_makes_no_other_one(house: House) -> None:
    await house.set("language=de")
    taken = await house.publish()
    pairs = [
        (FRAGMENT, "&lang=zz-1&view=include&limit=50&order=oldest&redirect_to=&lang=fr&x=1"),
        (FRAGMENT, "&lang=de-AT"),
        (f"{FRAGMENT}&lang=zh", "-Hant-TW"),
        (PAGE, "&limit=50&order=oldest&view=page"),
        ("/v1/sites/blog/counts?article=/post", "&article=/post&limit=1"),
        ("/v1/sites/blog/comments.atom?article=/post", "/%3Futm_x=1&limit=1"),
        (f"/v1/sites/blog/comments/{taken.id}", "?limit=1"),
    ]
    for url, more in pairs:
        first = await house.dave.get(url)
        for coding in ("identity", "br;q=0.1", "GZIP", "gzip;q=0.123, zz"):
            kept = len(house.app.process.store)
            odd = await house.dave.get(url + more, headers={"accept-encoding": coding})
            assert (odd.status_code, odd.content) == (200, first.content), url
            assert len(house.app.process.store) == kept, url


async def test_an_id_that_is_none_makes_no_answer(house: House) -> None:
    await house.publish()
    await house.dave.get(FRAGMENT)
    kept = len(house.app.process.store)
    for url in (
        f"{FRAGMENT}&parent=x",
        f"{FRAGMENT}&parent={new_id()}",
        "/v1/sites/blog/comments/x",
        f"/v1/sites/blog/comments/{new_id()}",
        f"{PAGE}&cursor=x",
        f"{PAGE}&limit=201",
    ):
        assert (await house.dave.get(url)).status_code in {404, 422}
    assert len(house.app.process.store) == kept


@pytest.fixture
async def cramped(furnished: Furnished, furnished_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """The house with room for few answers."""
    data_dir = tmp_path / "data"
    async with open_house(furnished, furnished_url, data_dir, page_memory_mib=1) as house:
        yield house


async def test_whatever_somebody_asks_for_leaves_what_others_ask_for_in_the_cache(
    cramped: House,
) -> None:
    house, cache = cramped, cramped.app.process.cache
    taken = [await house.publish(text=f"{number} {LONG}") for number in range(4)]
    hot = [PAGE, FRAGMENT, *(f"/v1/sites/blog/comments/{one.id}" for one in taken)]
    hot += ["/v1/sites/blog/comments?article=/has-none-yet"]
    for _ in range(3):
        for url in hot:
            await house.dave.get(url)
        await cache.revalidate()
    first = await house.read(limit=1)
    made_up = [
        *(f"{PAGE}&limit={number}&order=newest" for number in range(1, 101)),
        *(f"{FRAGMENT}&redirect_to=/{number}" for number in range(50)),
        *(f"{PAGE}&cursor={first.next}&limit={number}" for number in range(1, 51)),
        *(f"/v1/sites/blog/comments?article=/made-up/{number}" for number in range(150)),
        *(f"/v1/sites/blog/counts?article=/post&article={number}" for number in range(150)),
    ]
    for url in made_up:
        assert (await house.dave.get(url)).status_code == 200, url
    assert house.app.process.store.bytes <= 1 << 20
    with statements(house) as asked:
        for url in hot:
            await house.dave.get(url)
    assert asked == []


async def test_spellings_of_one_article_share_an_answer(house: House) -> None:
    await house.publish()
    await house.read("/post")
    with statements(house) as asked:
        for spelling in ("/post/", "https://blog.example/post?utm_source=x", "//blog.example/post"):
            assert (await house.read(spelling)).count == 1
    assert asked == []


async def test_pages_that_differ_by_where_the_form_leads_are_read_once(house: House) -> None:
    await house.publish()
    await house.dave.get(f"{FRAGMENT}&redirect_to=/first")
    with statements(house) as asked:
        for number in range(20):
            page = (await house.dave.get(f"{FRAGMENT}&redirect_to=/{number}")).text
            assert f'name="redirect_to" value="/{number}"' in page
        assert "redirect_to" not in (await house.dave.get(f"{FRAGMENT}&redirect_to=")).text
    # That without one is another page.
    assert len(asked) == 1


async def test_a_page_with_where_the_form_leads_shows_what_changes_at_once(house: House) -> None:
    url = f"{FRAGMENT}&redirect_to=/there"
    for number in range(3):
        await house.publish(text=f"Number {number}.")
        for _ in range(2):
            assert f"Number {number}." in (await house.dave.get(url)).text


@pytest.mark.parametrize("path", ["//v1/sites/blog/comments", "/v1//sites/blog/comments//"])
async def test_more_slashes_than_needed_cost_nobody_a_header(house: House, path: str) -> None:
    await house.publish()
    odd = await house.dave.get(f"{PUBLIC_URL}{path}?article=/post")
    assert shown(await house.dave.get(PAGE)) == shown(odd)
    assert odd.headers["content-type"] == "application/json"
    assert odd.headers["access-control-allow-origin"] == "*"


async def test_a_coding_that_is_made_later_takes_room_too(house: House) -> None:
    await house.publish(text=LONG)
    store = house.app.process.store
    rooms = []
    for coding in ("identity", "br", "gzip"):
        await house.dave.get(PAGE, headers={"accept-encoding": coding})
        rooms.append(store.bytes)
    assert rooms == sorted(set(rooms))


async def test_a_page_of_another_order_size_or_place_is_another_answer(house: House) -> None:
    ids = [(await house.publish()).id for _ in range(3)]
    first = await house.read(limit=2)
    assert [one.id for one in first.comments] == ids[:2]
    rest = await house.read(limit=2, cursor=first.next or "")
    assert [one.id for one in rest.comments] == ids[2:]
    newest = await house.read(limit=2, order="newest")
    assert [one.id for one in newest.comments] == [ids[2], ids[1]]


async def test_every_decision_shows_at_once_in_every_kind_of_answer(house: House) -> None:
    taken = await house.publish()
    single, counts = f"/v1/sites/blog/comments/{taken.id}", "/v1/sites/blog/counts?article=/post"

    async def look() -> tuple[int, int, int]:
        page, one, count = [await house.dave.get(url) for url in (PAGE, single, counts)]
        return page.json()["count"], one.status_code, count.json()["counts"]["/post"]

    assert await look() == (1, 200, 1)
    await house.reject(taken.id)
    assert await look() == (0, 404, 0)
    await house.approve(taken.id)
    assert await look() == (1, 200, 1)
    await house.withdraw(taken)
    assert await look() == (0, 404, 0)


async def test_an_unknown_article_becomes_known_at_once(house: House) -> None:
    assert (await house.read()).count == 0
    await house.publish()
    assert (await house.read()).count == 1


async def test_what_nobody_told_of_is_found_in_the_database(house: House) -> None:
    """As when another process changed it and its word got lost."""
    await house.publish()
    assert (await house.read()).count == 1
    async with house.database.writing() as session:
        await session.exec(update(Comment).values(visibility="hidden"))
        await session.exec(update(Article).values(visible=0, revision=Article.revision + 1))

    async def is_gone() -> bool:
        return (await house.read()).count == 0

    await until(is_gone)


async def test_a_changed_site_is_found_in_the_database(house: House) -> None:
    """As when the command line changed it."""
    url = "/v1/sites/blog/comments?article=//elsewhere.example/post"
    problem_of(await house.dave.get(url), 422)
    await house.publish()
    page = "/v1/sites/blog/comments?article=https://blog.example/post"
    assert (await house.dave.get(page)).json()["article"] == "/post"
    origins = ["https://www.blog.example", "https://blog.example"]
    answer = await house.alice.patch("/v1/sites/blog", json={"origins": origins})
    assert answer.status_code == 200, answer.text

    async def has_its_host() -> bool:
        return bool((await house.dave.get(page)).json()["article"] == "//blog.example/post")

    await until(has_its_host)


async def test_what_cannot_be_revalidated_is_not_sent(house: House) -> None:
    await house.publish()
    await house.read()
    await services_of(house).database.pages.engine.dispose()
    async with house.database.writing() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("ALTER TABLE article RENAME TO gone")

    async def is_refused() -> bool:
        return (await house.dave.get(PAGE)).status_code == 503

    await until(is_refused)


async def test_an_answer_names_its_site_and_articles_for_caches_to_be_purged_by(
    house: House,
) -> None:
    taken = await house.publish()
    await house.publish(article="/other")
    page = (await house.dave.get(PAGE)).headers
    single = (await house.dave.get(f"/v1/sites/blog/comments/{taken.id}")).headers
    counts = (await house.dave.get("/v1/sites/blog/counts?article=/post&article=/other")).headers
    site, article = page["surrogate-key"].split()
    assert single["surrogate-key"] == page["surrogate-key"]
    assert counts["surrogate-key"].split()[:2] == [site, article]
    assert len(counts["surrogate-key"].split()) == 3
    assert counts["cache-tag"] == counts["surrogate-key"].replace(" ", ",")
    assert (await house.alice.get("/v1/sites")).headers.get("surrogate-key") is None
