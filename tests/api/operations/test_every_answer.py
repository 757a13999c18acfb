"""What every answer of the service has in common, and the pages that explain its errors."""

import httpx
import pytest

from service.errors import list_problems
from tests.cast import House

# Nothing here depends on which database it is.
pytestmark = pytest.mark.parametrize("furnished", ["sqlite"], indirect=True)
CLOSED = "default-src 'none'"


async def every_kind_of_answer(house: House) -> dict[str, httpx.Response]:
    """Give an answer of each kind: good, refused, unknown, of a page, of a file."""
    comment = await house.publish()
    paths = [
        *("/health/live", "/health/ready", "/metrics", "/nowhere", "/problems", "/problems/x"),
        *("/schema", "/schema/openapi.json", "/static/greenroom.css", "/sign-in", "/sign-in/x"),
        *("/v1/sites/blog/comments?article=/post", "/v1/sites/blog/comments", "/v1/sites"),
        *(f"/receipts/{comment.receipt.token}", f"/v1/receipts/{comment.receipt.token}"),
        *("/v1/sites/nowhere/comments?article=/x", "/v1/sites/blog/form?article=/post"),
    ]
    answers = {f"GET {path}": await house.dave.get(path) for path in paths}
    answers |= {
        "POST comment": await house.try_submit(),
        "POST broken": await house.dave.post("/v1/sites/blog/comments", content=b"{"),
        "PUT comment": await house.dave.put("/v1/sites/blog/comments"),
        "OPTIONS comment": await house.dave.options("/v1/sites/blog/comments"),
        "HEAD page": await house.dave.head("/v1/sites/blog/comments?article=/post"),
        "GET queue": await house.bob.get("/v1/moderation/comments"),
        "GET desk": await house.bob.get("/moderation"),
        "DELETE claims": await house.bob.delete("/v1/moderation/claims"),
        "POST session": await house.dave.post("/v1/session", json={}),
    }
    return answers


async def test_every_answer_is_closed_unless_it_says_otherwise(house: House) -> None:
    for name, answer in (await every_kind_of_answer(house)).items():
        headers = answer.headers
        assert headers["x-content-type-options"] == "nosniff", name
        assert headers["content-security-policy"].startswith(CLOSED), name
        assert "frame-ancestors 'none'" in headers["content-security-policy"], name
        assert headers["cache-control"], name
        assert "server" not in headers, name
        for header in ("x-content-type-options", "content-security-policy", "cache-control"):
            assert len(headers.get_list(header)) == 1, (name, header)


async def test_only_public_pages_and_static_files_may_be_stored(house: House) -> None:
    for name, answer in (await every_kind_of_answer(house)).items():
        expected = "no-store"
        if name in {"GET /v1/sites/blog/comments?article=/post", "HEAD page"}:
            expected = "public, max-age=0, s-maxage=2"
        elif name == "GET /static/greenroom.css":
            expected = "public, max-age=3600"
        assert answer.headers["cache-control"] == expected, name


async def test_private_pages_do_not_say_where_one_came_from(house: House) -> None:
    answers = await every_kind_of_answer(house)
    for name in ("GET /sign-in", "GET /sign-in/x", "GET desk"):
        assert answers[name].headers["referrer-policy"] == "no-referrer", name


async def test_every_error_is_a_problem_whose_page_exists(house: House) -> None:
    for name, answer in (await every_kind_of_answer(house)).items():
        if answer.status_code < 400 or answer.headers["content-type"].startswith("text/html"):
            continue
        problem = answer.json()
        assert answer.headers["content-type"] == "application/problem+json", name
        assert problem["status"] == answer.status_code, name
        assert {"type", "title", "status", "detail"} <= set(problem), name
        assert (await house.dave.get(problem["type"])).status_code == 200, name


async def test_each_problem_has_its_page_and_is_on_the_list(house: House) -> None:
    listed = await house.dave.get("/problems")
    assert listed.headers["content-type"] == "text/html; charset=utf-8"
    for slug, problem in list_problems().items():
        assert f"/problems/{slug}" in listed.text
        page = await house.dave.get(f"/problems/{slug}")
        assert page.status_code == 200
        assert str(problem.status) in page.text
    assert (await house.dave.get("/problems/no-such")).status_code == 404
