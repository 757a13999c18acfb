"""A session by cookie: how long it lives, how it ends, and what a change by it has to prove."""

import httpx
import pytest

from tests.api.sites.test_sites import make_admin
from tests.cast import PUBLIC_URL, House
from tests.plans import statements_of

# Nothing here depends on which database it is.
pytestmark = [pytest.mark.parametrize("furnished", ["sqlite"], indirect=True), pytest.mark.both]
QUEUE = "/v1/moderation/comments"
CLAIMS = "/v1/moderation/claims"


async def test_it_ends_after_twelve_idle_hours(house: House) -> None:
    browser = await house.sign_in("bob")
    house.clock.advance(hours=11, minutes=59)
    assert (await browser.get(QUEUE)).status_code == 200
    house.clock.advance(hours=11, minutes=59)
    assert (await browser.get(QUEUE)).status_code == 200
    house.clock.advance(hours=12)
    assert (await browser.get(QUEUE)).status_code == 401


async def test_it_ends_after_thirty_days_however_busy(house: House) -> None:
    browser = await house.sign_in("bob")
    for _ in range(60):
        assert (await browser.get("/v1/tokens")).status_code == 200
        house.clock.advance(hours=11.9)
    house.clock.advance(hours=6)
    assert (await browser.get("/v1/tokens")).status_code == 401


async def test_signing_out_ends_it_at_once_and_only_it(house: House) -> None:
    browser, other = await house.sign_in("bob"), await house.sign_in("bob")
    stolen = dict(browser.cookies)
    answer = await browser.delete("/v1/session")
    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert not browser.cookies
    assert (await house.client(cookie=cookie_header(stolen)).get(QUEUE)).status_code == 401
    assert (await other.get(QUEUE)).status_code == 200


def cookie_header(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


async def test_only_the_hash_of_a_cookie_is_stored(house: House) -> None:
    browser = await house.sign_in("bob")
    [cookie] = browser.cookies.values()
    assert cookie not in str(await house.state())


async def test_reading_needs_no_csrf_token(house: House) -> None:
    browser = await house.sign_in("bob")
    bare = house.client(cookie=cookie_header(dict(browser.cookies)))
    assert (await bare.get(QUEUE)).status_code == 200
    assert (await bare.head(QUEUE)).status_code == 200


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "https://blog.example"])
async def test_a_change_from_another_origin_or_from_none_is_refused(house: House, origin: str | None) -> None:
    browser = await house.sign_in("bob")
    del browser.headers["origin"]
    async with house.nothing_changes():
        answer = await browser.delete(CLAIMS, headers={"origin": origin} if origin else None)
    assert answer.status_code == 403
    assert answer.json()["type"] == "/problems/csrf-token-missing"
    assert (await browser.delete(CLAIMS, headers={"origin": PUBLIC_URL})).status_code == 204


async def test_a_change_that_names_two_pages_is_refused(house: House) -> None:
    browser = await house.sign_in("bob")
    del browser.headers["origin"]
    for first, last in (("https://evil.example", PUBLIC_URL), (PUBLIC_URL, "null")):
        origins = [("origin", first), ("origin", last)]
        assert (await browser.delete(CLAIMS, headers=origins)).status_code == 403


async def test_the_cookie_may_stand_in_any_of_several_headers(house: House) -> None:
    browser = await house.sign_in("bob")
    ours, other = ("cookie", cookie_header(dict(browser.cookies))), ("cookie", "theme=dark")
    for cookies in ([ours, other], [other, ours]):
        assert (await house.client().get(QUEUE, headers=cookies)).status_code == 200


async def test_a_change_without_its_own_csrf_token_is_refused(house: House) -> None:
    browser, other = await house.sign_in("bob"), await house.sign_in("bob")
    right = browser.headers["x-csrf-token"]
    del browser.headers["x-csrf-token"]
    for wrong in (None, "", "nonsense", other.headers["x-csrf-token"], right.upper() + "0"):
        headers = {"x-csrf-token": wrong} if wrong is not None else None
        async with house.nothing_changes():
            assert (await browser.delete(CLAIMS, headers=headers)).status_code == 403, wrong
    assert (await browser.delete(CLAIMS, headers={"x-csrf-token": right})).status_code == 204


async def test_every_kind_of_change_asks_for_it(house: House) -> None:
    browser = await house.sign_in("alice")
    del browser.headers["x-csrf-token"]
    async with house.nothing_changes():
        for method, path in (
            ("POST", "/v1/moderation/decisions"),
            ("PUT", CLAIMS),
            ("DELETE", CLAIMS),
            ("PATCH", "/v1/sites/blog"),
            ("POST", "/sign-out"),
        ):
            assert (await browser.request(method, path, json={})).status_code == 403, path


async def test_a_form_may_carry_the_token_as_a_field(house: House) -> None:
    comment = await house.submit()
    browser = await house.sign_in("bob")
    token = browser.headers.pop("x-csrf-token")
    form = {"comment": comment.id, "version": "1", "action": "approve"}
    async with house.nothing_changes():
        assert (await browser.post("/moderation", data=form)).status_code == 403
        assert (await browser.post("/moderation", data={**form, "_csrf": "x"})).status_code == 403
    answer = await browser.post("/moderation", data={**form, "_csrf": token})
    assert answer.headers["location"] == "/moderation?outcome=applied"
    assert (await house.look(comment.id)).status == "approved"


async def test_the_page_of_pending_comments_has_the_token_in_its_forms(house: House) -> None:
    await house.submit(text="<script>alert(1)</script> & so on")
    browser = await house.sign_in("bob")
    page = await browser.get("/moderation")
    assert page.headers["content-type"].startswith("text/html")
    assert f'name="_csrf" value="{browser.headers["x-csrf-token"]}"' in page.text
    assert "<script" not in page.text
    assert "dave@mail.example" not in page.text
    out = await browser.post("/sign-out")
    assert out.headers["location"] == "/sign-in"
    assert (await browser.get("/moderation")).status_code == 401


async def test_a_bearer_token_needs_no_csrf_token_and_wins_over_a_cookie(house: House) -> None:
    assert (await house.bob.delete(CLAIMS)).status_code == 204
    browser = await house.sign_in("bob")
    asked = {"authorization": "Bearer nonsense"}
    assert (await browser.get(QUEUE, headers=asked)).status_code == 401


async def test_moderators_routes_answer_no_other_origin(house: House) -> None:
    origin = {"origin": "https://blog.example"}
    preflight = {**origin, "access-control-request-method": "POST"}
    answers: list[httpx.Response] = [
        await house.bob.get(QUEUE, headers=origin),
        await house.bob.options(CLAIMS, headers=preflight),
        await house.dave.options("/v1/session", headers=preflight),
    ]
    for answer in answers:
        assert "access-control-allow-origin" not in answer.headers


async def test_what_is_public_by_https_takes_no_change_from_its_own_host_by_http(
    house: House,
) -> None:
    """Somebody on the way may have answered for it there; behind a proxy each request comes by http."""
    browser = await house.sign_in("bob")
    browser.base_url = httpx.URL(PUBLIC_URL.replace("https:", "http:"))
    cookie = cookie_header(dict(browser.cookies))
    origin = PUBLIC_URL.replace("https:", "http:")
    refused = await browser.delete(CLAIMS, headers={"origin": origin, "cookie": cookie})
    assert refused.status_code == 403
    taken = await browser.delete(CLAIMS, headers={"origin": PUBLIC_URL, "cookie": cookie})
    assert taken.status_code == 204


async def test_who_calls_is_found_by_one_query_with_all_roles(house: House) -> None:
    await make_admin(house, "Charlie")
    members = (await house.charlie.get("/v1/sites/blog/members")).json()["members"]
    bob = next(one["moderator"]["id"] for one in members if one["moderator"]["name"] == "Bob")
    put = f"/v1/sites/elsewhere/members/{bob}"
    assert (await house.charlie.put(put, json={"role": "viewer"})).status_code == 204
    browser = await house.sign_in("bob")
    for client, credential in ((house.bob, "bearer_token"), (browser, "sign_in_session")):
        assert (await client.get("/v1/sites")).status_code == 200
        with statements_of(house, "moderator") as asked:
            sites = (await client.get("/v1/sites")).json()["sites"]
        held = {one["slug"]: one["role"] for one in sites}
        assert held == {"blog": "moderator", "elsewhere": "viewer"}
        [(statement, _)] = asked
        assert f"FROM {credential} JOIN moderator" in " ".join(statement.split())


async def test_of_a_change_whose_body_is_there_it_is_asked_once(house: House) -> None:
    for client in (house.bob, await house.sign_in("bob")):
        assert (await client.get(QUEUE)).status_code == 200
        with statements_of(house, "JOIN moderator") as asked:
            claim = {"site": "blog", "limit": 1, "lease_seconds": 60}
            assert (await client.post(CLAIMS, json=claim)).status_code == 200
        assert len(asked) == 1
