"""Articles: opened, closed and listed by moderators."""

from typing import Any

import httpx

from tests.cast import House

ARTICLES = "/v1/sites/blog/articles"


async def put(client: httpx.AsyncClient, article: str, state: str) -> httpx.Response:
    return await client.post(ARTICLES, json={"article": article, "state": state})


async def test_a_closed_article_takes_nothing_and_still_shows_its_comments(house: House) -> None:
    published = await house.publish()
    answer: dict[str, Any] = (await put(house.bob, "https://blog.example/post/", "closed")).json()
    assert answer == {
        "article": "/post",
        "state": "closed",
        "count": 1,
        "created_at": "2026-05-01T12:00:00Z",
    }
    async with house.nothing_changes():
        refused = await house.try_submit()
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["code"] == "article_not_allowed"
    assert [one.id for one in (await house.read()).comments] == [published.id]
    await put(house.bob, "/post", "open")
    assert (await house.try_submit()).status_code == 202


async def test_on_a_listing_site_only_listed_articles_take_comments(house: House) -> None:
    await house.set("articles=listed")
    refused = await house.try_submit(article="/unlisted")
    assert refused.json()["errors"][0]["code"] == "article_not_allowed"
    assert (await house.read("/unlisted")).count == 0
    await put(house.bob, "/unlisted", "open")
    assert (await house.try_submit(article="/unlisted")).status_code == 202


async def test_an_article_that_is_made_says_where_its_comments_are(house: House) -> None:
    made = await put(house.bob, "/ä?x=1&y", "closed")
    assert made.status_code == 201
    page = await house.dave.get(made.headers["location"])
    assert page.json()["article"] == made.json()["article"]
    again = await put(house.bob, "/ä?x=1&y", "open")
    assert (again.status_code, "location" in again.headers) == (200, False)


async def test_it_takes_a_moderator_and_a_key_that_is_one(house: House) -> None:
    async with house.nothing_changes():
        assert (await put(house.vera, "/post", "closed")).status_code == 403
        assert (await put(house.charlie, "/post", "closed")).status_code == 404
        for article in ("", "https://evil.example/", "x" * 513):
            answer = await put(house.bob, article, "closed")
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["pointer"] == "#/article"
        assert (await put(house.bob, "/post", "ajar")).json()["errors"][0]["pointer"] == "#/state"
