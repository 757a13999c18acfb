"""HEAD wherever GET is, OPTIONS everywhere, and 405 that names all methods."""

from tests.answers import headers_of, problem_of
from tests.cast import House

COMMENTS = "/v1/sites/blog/comments"


def methods(allow: str) -> set[str]:
    return {method.strip() for method in allow.split(",")}


async def test_head_is_get_without_a_body(house: House) -> None:
    taken = await house.publish()
    urls = (
        f"{COMMENTS}?article=/post",
        f"{COMMENTS}/{taken.id}",
        "/v1/sites/blog/counts?article=/post",
        "/v1/sites/blog/form?article=/post",
        "/v1/sites/nowhere/comments",
        f"/v1/receipts/{taken.receipt.token}",
        f"/receipts/{taken.receipt.token}",
        "/health/live",
    )
    for url in urls:
        got, head = await house.dave.get(url), await house.dave.head(url)
        assert head.content == b""
        assert head.status_code == got.status_code, url
        assert headers_of(head) == headers_of(got), url


async def test_options_names_all_methods(house: House) -> None:
    taken = await house.publish()
    expected = {
        COMMENTS: {"GET", "HEAD", "OPTIONS", "POST"},
        f"{COMMENTS}/": {"GET", "HEAD", "OPTIONS", "POST"},
        f"{COMMENTS}/{taken.id}": {"GET", "HEAD", "OPTIONS"},
        "/v1/sites/blog/counts": {"GET", "HEAD", "OPTIONS"},
        f"/v1/receipts/{taken.receipt.token}": {"GET", "HEAD", "PATCH", "DELETE", "OPTIONS"},
        "/v1/moderation/claims": {"POST", "PUT", "DELETE", "OPTIONS"},
    }
    async with house.nothing_changes():
        for url, allowed in expected.items():
            answer = await house.dave.options(url)
            assert answer.is_success
            assert methods(answer.headers["allow"]) == allowed, url


async def test_405_names_all_methods(house: House) -> None:
    async with house.nothing_changes():
        for method in ("PUT", "DELETE", "PATCH", "PROPFIND", "TRACE"):
            answer = await house.dave.request(method, COMMENTS)
            assert problem_of(answer, 405).type == "/problems/method-not-allowed"
            assert methods(answer.headers["allow"]) == {"GET", "HEAD", "OPTIONS", "POST"}, method


async def test_a_trailing_slash_is_tolerated(house: House) -> None:
    taken = await house.publish()
    for url in (f"{COMMENTS}/?article=/post", f"{COMMENTS}/{taken.id}/"):
        assert (await house.dave.get(url)).status_code == 200


async def test_what_is_not_there_is_404_for_every_method(house: House) -> None:
    for method in ("GET", "POST", "DELETE", "OPTIONS", "HEAD"):
        answer = await house.dave.request(method, "/v1/nothing/here")
        assert answer.status_code == 404, method
        assert answer.headers["x-content-type-options"] == "nosniff"
