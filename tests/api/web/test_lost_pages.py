"""Where somebody looks for a page that is not there, a page says so; programs get the problem as JSON."""

import pytest

from service.errors import NotFound
from tests.answers import problem_of
from tests.cast import House

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/", "/nowhere", "/favicon.ico", "/problems/nope", "/a/b?c"])
async def test_a_browser_gets_a_page(house: House, path: str) -> None:
    answer = await house.dave.get(path, headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert f"<h1>{NotFound.title}</h1>" in answer.text
    assert "style-src 'self'" in answer.headers["content-security-policy"]
    head = await house.dave.head(path, headers=BROWSER)
    assert (head.status_code, head.content) == (404, b"")
    assert head.headers["content-length"] == answer.headers["content-length"]


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/nowhere", {}),
        ("GET", "/nowhere", {"accept": "*/*"}),
        ("GET", "/nowhere", {"accept": "text/html;q=0, */*"}),
        ("GET", "/v1/nowhere", BROWSER),
        ("POST", "/nowhere", BROWSER),
    ],
)
async def test_a_program_gets_the_problem(
    house: House, method: str, path: str, headers: dict[str, str]
) -> None:
    problem_of(await house.dave.request(method, path, headers=headers), 404)


async def test_a_page_of_comments_of_no_site_is_refused_as_a_page(house: House) -> None:
    answer = await house.dave.get("/v1/sites/nowhere/comments.html?article=/a&view=page")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
