"""Who changes something is who the caller is once the body is there, not who it was at its first byte."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import httpx

from tests.api.test_guards import BODIES, PUBLIC, operations, things_of_blog
from tests.cast import PUBLIC_URL, House

Meanwhile = Callable[[], Awaitable[object]]


async def test_credentials_that_end_while_the_body_is_on_its_way_are_401(house: House) -> None:
    values = await things_of_blog(house)
    changing = {name for name, *_ in operations(house.app) if not name.startswith("GET ")} - PUBLIC
    statuses = {}
    for name in sorted(changing):
        # So that nobody signs in too often.
        house.clock.advance(minutes=1)
        browser, script = await house.sign_in("alice"), await make_script(house)
        for client, end in ((browser, sign_out), (script, revoke)):
            answer = await call_late(client, name, values, partial(end, house, client))
            statuses[name, client is browser] = answer.status_code
    assert changing
    assert {called: status for called, status in statuses.items() if status != 401} == {}


async def test_a_role_that_ends_meanwhile_is_one_no_more(house: House) -> None:
    name, values = "PATCH /v1/sites/{site}", await things_of_blog(house)
    me = f"/v1/sites/blog/members/{values['moderator']}"
    members = (await house.alice.get("/v1/sites/blog/members")).json()["members"]
    [bob] = [one["moderator"]["id"] for one in members if one["moderator"]["name"] == "Bob"]
    other = f"/v1/sites/blog/members/{bob}"
    assert (await house.alice.put(other, json={"role": "owner"})).status_code == 204
    answer = await call_late(house.alice, name, values, partial(house.bob.delete, me))
    assert answer.status_code == 404


async def test_a_stranger_is_refused_before_the_body_is_read(house: House) -> None:
    async def never() -> None:
        raise AssertionError("Somebody waits for the rest of the body.")

    answer = await call_late(house.dave, "POST /v1/moderation/decisions", {}, never)
    assert answer.status_code == 401


async def call_late(
    client: httpx.AsyncClient, name: str, values: dict[str, str], meanwhile: Meanwhile
) -> httpx.Response:
    """Call an operation, and let something happen between the first byte of its body and the rest."""
    method, template = name.split()
    body = json.dumps(BODIES.get(name, {})).encode()

    async def send() -> AsyncIterator[bytes]:
        yield body[:1]
        await meanwhile()
        yield body[1:]

    headers = {"content-type": "application/json"}
    path = template.format_map(values)
    return await client.request(method, path, content=send(), headers=headers)


async def make_script(house: House) -> httpx.AsyncClient:
    """Give a script with a new token of Alice's."""
    made = (await house.alice.post("/v1/tokens", json={"name": "script"})).json()
    return house.client(authorization=f"Bearer {made['token']}")


async def revoke(house: House, script: httpx.AsyncClient) -> None:
    """End the newest token of Alice's, which is the script's."""
    tokens = (await house.alice.get("/v1/tokens")).json()["tokens"]
    newest = max(tokens, key=lambda one: one["id"])
    assert newest["name"] == "script"
    assert (await house.alice.delete(f"/v1/tokens/{newest['id']}")).status_code == 204


async def sign_out(house: House, browser: httpx.AsyncClient) -> None:
    """End a browser's session in another window of it."""
    window = house.client(origin=PUBLIC_URL, **{"x-csrf-token": browser.headers["x-csrf-token"]})
    window.cookies = browser.cookies
    assert (await window.delete("/v1/session")).status_code == 204
