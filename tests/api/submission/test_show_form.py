"""What a form needs to know before anything is typed."""

from tests.answers import codes_of, problem_of
from tests.cast import House


async def test_a_form_is_told_its_limits_its_labels_and_that_it_is_open(house: House) -> None:
    await house.set("max_text_chars=500", "max_depth=3")
    async with house.nothing_changes():
        answer = await house.dave.get("/v1/sites/blog/form?article=https://blog.example/post/")
    form = answer.json()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert (form["article"], form["open"], form["max_depth"]) == ("/post", True, 3)
    assert form["limits"] == {"name": 245, "email": 254, "url": 2000, "text": 500}
    assert form["labels"]["title"] == "Leave a reply"
    assert form["labels"]["email_note"] == "Your e-mail address will not be published."


async def test_a_closed_article_says_so_and_takes_nothing(house: House) -> None:
    closed = {"article": "/post", "state": "closed"}
    assert (await house.bob.post("/v1/sites/blog/articles", json=closed)).is_success
    form = (await house.dave.get("/v1/sites/blog/form?article=/post")).json()
    assert form["open"] is False
    assert codes_of(await house.refused(422)) == {"#/article": "article_not_allowed"}
    await house.submit(article="/other")


async def test_a_site_with_listed_articles_takes_comments_under_these_alone(house: House) -> None:
    await house.set("articles=listed")
    assert codes_of(await house.refused(422)) == {"#/article": "article_not_allowed"}
    assert (await house.dave.get("/v1/sites/blog/form?article=/post")).json()["open"] is False
    listed = {"article": "/post", "state": "open"}
    await house.bob.post("/v1/sites/blog/articles", json=listed)
    await house.submit()


async def test_an_error_in_the_query_names_the_parameter(house: House) -> None:
    for url, code in {
        "/v1/sites/blog/form": "article_required",
        "/v1/sites/blog/form?article=": "article_required",
        "/v1/sites/blog/form?article=https://evil.example/": "article_not_allowed",
        f"/v1/sites/blog/form?article={'a' * 513}": "article_too_long",
    }.items():
        problem = problem_of(await house.dave.get(url), 422)
        assert codes_of(problem) == {"article": code}, url
        assert [error.parameter for error in problem.errors or []] == ["article"]


async def test_the_form_of_an_unknown_site_is_404(house: House) -> None:
    problem_of(await house.dave.get("/v1/sites/nowhere/form?article=/post"), 404)
