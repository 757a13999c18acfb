"""The counts of many articles at once, each under the name that was asked."""

import httpx
import pytest

from tests.answers import codes_of, problem_of
from tests.cast import House

pytestmark = pytest.mark.both


async def count(house: House, *articles: str) -> httpx.Response:
    return await house.dave.get("/v1/sites/blog/counts", params={"article": list(articles)})


async def test_each_count_stands_under_the_article_as_asked(house: House) -> None:
    for article in ("/a", "/a", "/b/"):
        await house.publish(article=article)
    await house.submit(article="/a")
    asked = ["/a/", "https://blog.example/a?utm_source=x", "/b", "/unknown", "/a/"]
    async with house.nothing_changes():
        answer = await count(house, *asked)
    assert answer.status_code == 200
    assert answer.json() == {
        "counts": {"/a/": 2, "https://blog.example/a?utm_source=x": 2, "/b": 1, "/unknown": 0}
    }


async def test_one_to_a_hundred_articles_may_be_asked_for(house: House) -> None:
    hundred = [f"/{number}" for number in range(100)]
    assert len((await count(house, *hundred)).json()["counts"]) == 100
    assert codes_of(problem_of(await count(house, *hundred, "/more"), 422)) == {"article": "article_too_long"}
    answer = await house.dave.get("/v1/sites/blog/counts")
    assert codes_of(problem_of(answer, 422)) == {"article": "article_required"}


async def test_what_cannot_be_an_article_counts_null(house: House) -> None:
    await house.publish(article="/a")
    answer = await count(house, "/a", "https://evil.example/", "", "/" + "x" * 512)
    assert answer.json() == {
        "counts": {"/a": 1, "https://evil.example/": None, "": None, "/" + "x" * 512: None}
    }
    assert (await count(house, "//evil.example/")).json() == {"counts": {"//evil.example/": None}}


async def test_what_can_be_no_text_counts_null_and_costs_the_others_nothing(house: House) -> None:
    await house.publish(article="/a")
    await house.publish(article="/\ufffd")
    long = "/" + "x" * 5_000
    query = f"article=/a&article={long}&article=/%00&article=/a%FF&article=/%ED%A0%80"
    answer = await house.dave.get(f"/v1/sites/blog/counts?{query}")
    assert answer.json() == {
        "counts": {
            "/a": 1,
            long: None,
            "/\x00": None,
            "/a\ufffd": None,
            "/\ufffd\ufffd\ufffd": None,
        }
    }
    # What is shown like an article is none; the article itself counts wherever it stands.
    for query, number in (("/%FF", None), ("/%FF&article=/%EF%BF%BD", 1), ("/%EF%BF%BD", 1)):
        answer = await house.dave.get(f"/v1/sites/blog/counts?article={query}")
        assert answer.json() == {"counts": {"/\ufffd": number}}


@pytest.mark.parametrize(
    "asked",
    [
        *([""], ["", ""], [" "], ["\x00"], ["\u200b", " \x00"], ["https://evil.example"]),
        ["", "https://evil.example", "\u2800"],
    ],
)
async def test_where_nothing_can_be_an_article_each_counts_null(house: House, asked: list[str]) -> None:
    answer = await count(house, *asked)
    assert answer.status_code == 200
    assert answer.json() == {"counts": dict.fromkeys(asked)}


async def test_an_unknown_site_is_404(house: House) -> None:
    problem_of(await house.dave.get("/v1/sites/nowhere/counts?article=/a"), 404)
