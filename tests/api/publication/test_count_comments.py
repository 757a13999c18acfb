"""The counts of many articles at once, each under the name that was asked."""

import httpx

from tests.answers import codes_of, problem_of
from tests.cast import House


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
    assert codes_of(problem_of(await count(house, *hundred, "/more"), 422)) == {
        "article": "article_too_long"
    }
    for none in ("", "?article=", "?article=%20&article=%E2%80%8B"):
        answer = await house.dave.get(f"/v1/sites/blog/counts{none}")
        assert codes_of(problem_of(answer, 422)) == {"article": "article_required"}


async def test_what_cannot_be_an_article_counts_null(house: House) -> None:
    await house.publish(article="/a")
    answer = await count(house, "/a", "https://evil.example/", "", "/" + "x" * 512)
    assert answer.json() == {
        "counts": {"/a": 1, "https://evil.example/": None, "": None, "/" + "x" * 512: None}
    }
    assert (await count(house, "//evil.example/")).json() == {"counts": {"//evil.example/": None}}


async def test_an_unknown_site_is_404(house: House) -> None:
    problem_of(await house.dave.get("/v1/sites/nowhere/counts?article=/a"), 404)
