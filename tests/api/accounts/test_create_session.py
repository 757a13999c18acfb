"""Signing in: what an answer gives away, how often one may try, and what the cookie is."""

import asyncio
from pathlib import Path

import httpx

from service.accounts import passwords
from service.errors import Unavailable
from tests.answers import headers_of
from tests.api.accounts.hashing import CountingHasher
from tests.cast import PASSWORD, Furnished, House, email_of, open_house

SESSION = "/v1/session"


async def sign_in(client: httpx.AsyncClient, email: str, password: str = PASSWORD) -> httpx.Response:
    return await client.post(SESSION, json={"email": email, "password": password})


async def test_the_right_password_gives_a_name_a_csrf_token_and_a_cookie(house: House) -> None:
    answer = await sign_in(house.dave, email_of("alice").upper())
    assert answer.status_code == 200
    body = answer.json()
    assert body["moderator"]["name"] == "Alice"
    assert set(body) == {"moderator", "csrf_token"}
    assert set(body["moderator"]) == {"id", "name"}
    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert name.startswith("__Host-greenroom=")
    assert {one.lower() for one in attributes} == {
        *("httponly", "secure", "samesite=lax", "path=/", f"max-age={30 * 86_400}"),
    }
    assert "access-control-allow-origin" not in answer.headers


async def test_without_https_the_cookie_has_its_plain_name(
    furnished: Furnished, furnished_url: str, tmp_path: Path
) -> None:
    url = "http://127.0.0.1:8000"
    async with open_house(furnished, furnished_url, tmp_path / "data", public_url=url) as house:
        cookie = (await sign_in(house.dave, email_of("alice"))).headers["set-cookie"]
    assert cookie.startswith("greenroom=")
    assert "secure" not in cookie.lower()
    assert "HttpOnly" in cookie


async def test_an_unknown_account_gets_the_same_words_at_the_same_cost(
    house: House, hasher: CountingHasher
) -> None:
    wrong = await sign_in(house.dave, email_of("alice"), "not the password")
    assert hasher.made == 1
    unknown = await sign_in(house.dave, "nobody@mail.example")
    assert hasher.made == 2
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content
    assert headers_of(wrong) == headers_of(unknown)
    assert "set-cookie" not in wrong.headers


async def test_five_tries_a_minute_for_an_account_and_prefix(house: House) -> None:
    for _ in range(5):
        assert (await sign_in(house.dave, email_of("alice"), "wrong wrong")).status_code == 401
    refused = await sign_in(house.dave, email_of("alice"))
    assert refused.status_code == 429
    assert refused.headers["ratelimit-policy"] == '"sign_in_account";q=5;w=60'
    # Never by the account alone: else anybody could lock Alice out.
    assert (await sign_in(house.client("198.51.100.1"), email_of("alice"))).status_code == 200
    assert (await sign_in(house.dave, email_of("bob"))).status_code == 200


async def test_twenty_tries_a_minute_for_a_prefix(house: House) -> None:
    for number in range(20):
        tried = await sign_in(house.dave, f"guess{number}@mail.example")
        assert tried.status_code == 401
    refused = await sign_in(house.dave, "guess@mail.example")
    assert refused.status_code == 429
    assert refused.headers["ratelimit-policy"] == '"sign_in_ip";q=20;w=60'
    # The page counts against the same limit.
    page = await house.dave.post("/sign-in", data={"email": "a@b.example", "password": PASSWORD})
    assert page.status_code == 429
    neighbour = house.client("2001:db8:1:2::1")
    for _ in range(5):
        await sign_in(neighbour, email_of("alice"), "wrong wrong")
    assert (await sign_in(house.client("2001:db8:1:2::ffff"), email_of("alice"))).status_code == 429


async def test_at_most_two_hashes_are_made_at_once_and_the_flood_gets_503(
    house: House, hasher: CountingHasher
) -> None:
    clients = [house.client(f"198.51.100.{number}") for number in range(40)]
    answers = await asyncio.gather(*(sign_in(one, email_of("bob")) for one in clients))
    statuses = sorted({answer.status_code for answer in answers})
    assert statuses == [200, 503]
    assert hasher.most_at_once == 2
    assert hasher.made == sum(answer.status_code == 200 for answer in answers)
    for answer in answers:
        if answer.status_code == 503:
            assert answer.headers["retry-after"] == "2"
    assert (await sign_in(house.client("198.51.100.99"), email_of("bob"))).status_code == 200


async def test_twenty_wait_for_the_two_slots_and_the_next_is_told_to_come_back() -> None:
    checker = passwords.Passwords()
    stored = await checker.hash(PASSWORD)
    tries = [checker.verify(stored, PASSWORD) for _ in range(25)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert results[:22] == [True] * 22
    assert all(isinstance(result, Unavailable) for result in results[22:])
    assert await checker.verify(stored, PASSWORD)


async def test_a_password_is_stored_as_argon2id_alone(house: House) -> None:
    moderators = (await house.state())["moderator"]
    assert len(moderators) == 4
    for row in moderators:
        assert row["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert PASSWORD not in row["password_hash"]


async def test_missing_and_wrong_fields_are_named_at_once(house: House) -> None:
    answer = await house.dave.post(SESSION, json={"password": 5})
    codes = {error["pointer"]: error["code"] for error in answer.json()["errors"]}
    assert answer.status_code == 422
    assert codes == {"#/email": "email_required", "#/password": "password_invalid"}
    mistyped = await sign_in(house.dave, "not an address", "")
    codes = {error["pointer"]: error["code"] for error in mistyped.json()["errors"]}
    assert codes == {"#/email": "email_invalid", "#/password": "password_required"}


async def test_nothing_but_json_is_read(house: House) -> None:
    answer = await house.dave.post(SESSION, data={"email": email_of("bob"), "password": PASSWORD})
    assert answer.status_code == 415
