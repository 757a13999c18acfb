"""A new password ends what came before it: sessions, open links and tokens; a new link ends older ones."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest

from service.command_line import commands
from service.work import Work
from tests.api.accounts.test_one_time_links import NEW_PASSWORD, link_for, may_sign_in, press
from tests.api.sites.test_sites import make_admin
from tests.cast import PASSWORD, PUBLIC_URL, House, email_of

QUEUE = "/v1/moderation/comments"


async def may_look(client: httpx.AsyncClient) -> bool:
    return (await client.get(QUEUE)).status_code == 200


async def log_of(house: House) -> list[dict[str, Any]]:
    """Give what stands in all logs of this moment, the oldest first."""
    rows = (await house.state())["log_entry"]
    return sorted((row for row in rows if row["at"] >= house.clock()), key=lambda row: row["id"])


async def test_it_ends_sessions_and_tokens_and_stands_in_the_log(house: House) -> None:
    browser, other = await house.sign_in("bob"), await house.sign_in("bob")
    made = (await house.bob.post("/v1/tokens", json={"name": "script", "site": "blog"})).json()
    script = house.client(authorization=f"Bearer {made['token']}")
    bystander = await house.sign_in("alice")
    for client in (browser, other, script, house.bob):
        assert await may_look(client)
    link = await link_for(house, "Bob")
    house.clock.advance(minutes=1)
    chosen = house.client()
    await press(chosen, link, NEW_PASSWORD)
    for client in (browser, other, script, house.bob):
        assert not await may_look(client)
    for client in (chosen, bystander, house.alice):
        assert await may_look(client)
    [bob] = {row["actor_id"] for row in await log_of(house)}
    entries = [(row["action"], row["subject"]) for row in await log_of(house)]
    assert [action for action, _ in entries[:2]] == ["link.used", "password.changed"]
    assert {subject for _, subject in entries[:2]} == {str(bob)}
    # Each in the log of what it was for: of the two, one was for the blog.
    revoked = [row for row in await log_of(house) if row["action"] == "token.revoked"]
    assert len({row["site_id"] for row in revoked}) == len(revoked) == 2
    assert made["details"]["id"] in {row["subject"] for row in revoked}
    assert link.removeprefix("/sign-in/") not in str(await house.state())


async def test_tokens_stay_where_that_is_asked_for(house: House) -> None:
    browser, link = await house.sign_in("bob"), await link_for(house, "Bob")
    form = {"password": NEW_PASSWORD, "keep_tokens": "true"}
    assert 'name="keep_tokens"' in (await house.dave.get(link)).text
    assert (await house.dave.post(link, data=form)).status_code == 303
    assert await may_look(house.bob)
    assert not await may_look(browser)
    assert (await log_of(house))[-1]["subject"].endswith(":tokens-kept")


async def test_a_link_that_sets_none_ends_nothing(house: House) -> None:
    browser = await house.sign_in("bob")
    house.clock.advance(minutes=1)
    await press(house.dave, await link_for(house, "Bob"))
    assert await may_look(browser)
    assert await may_look(house.bob)
    assert [row["action"] for row in await log_of(house)] == ["link.created", "link.used"]


async def test_a_new_link_ends_older_ones(house: House) -> None:
    older, newer = await link_for(house, "Bob"), await link_for(house, "Bob")
    of_alice = await link_for(house, "Alice")
    async with house.nothing_changes():
        assert (await house.dave.get(older)).status_code == 404
        assert (await press(house.dave, older, NEW_PASSWORD)).status_code == 404
    assert (await press(house.client(), newer, NEW_PASSWORD)).status_code == 303
    assert (await press(house.client(), of_alice)).status_code == 303
    for link in (older, newer):
        assert (await press(house.client(), link, "yet another staple")).status_code == 404
    assert await may_sign_in(house.client(), NEW_PASSWORD)


async def test_of_two_that_are_chosen_at_once_one_stands(house: House) -> None:
    link = await link_for(house, "Bob")
    passwords = [f"battery staple number {number}" for number in range(3)]
    pressed = [press(house.client(), link, one) for one in passwords]
    statuses = [answer.status_code for answer in await asyncio.gather(*pressed)]
    assert sorted(statuses) == [303, 404, 404]
    stands = passwords[statuses.index(303)]
    assert [one for one in passwords if await may_sign_in(house.client(), one)] == [stands]


async def test_who_signs_in_with_the_old_one_meanwhile_is_out(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old password is checked, and before the session begins there is a new one."""
    services = house.app.process.services
    verify = services.passwords.verify

    async def verify_slowly(stored: str | None, password: str) -> bool:
        is_right: bool = await verify(stored, password)
        assert (await press(house.client(), link, NEW_PASSWORD)).status_code == 303
        return is_right

    link = await link_for(house, "Bob")
    monkeypatch.setattr(services.passwords, "verify", verify_slowly)
    account = {"email": email_of("bob"), "password": PASSWORD}
    answer = await house.client().post("/v1/session", json=account)
    assert answer.status_code == 401
    assert answer.json()["type"] == "/problems/sign-in-failed"


@pytest.mark.parametrize("by", ["cookie", "token"])
@pytest.mark.parametrize("what", ["token", "link"])
async def test_credentials_that_have_just_ended_make_no_others(
    house: House, monkeypatch: pytest.MonkeyPatch, what: str, by: str
) -> None:
    """The guard lets a request pass, and before anything is made there is a new password."""
    await make_admin(house, "Bob")
    services = house.app.process.services
    link, change = await link_for(house, "Bob"), services.changing

    @asynccontextmanager
    async def change_later(actor_id: UUID) -> AsyncIterator[Work]:
        monkeypatch.undo()
        assert (await press(house.client(), link, NEW_PASSWORD)).status_code == 303
        async with change(actor_id) as work:
            yield work

    client = await house.sign_in("bob") if by == "cookie" else house.bob
    listed = (await client.get("/v1/moderators")).json()["moderators"]
    bob = next(one["id"] for one in listed if one["name"] == "Bob")
    path = {"token": "/v1/tokens", "link": f"/v1/moderators/{bob}/link"}[what]
    monkeypatch.setattr(services, "changing", change_later)
    answer = await client.post(path, json={"name": "late"})
    assert answer.status_code == 401
    state = await house.state()
    assert "late" not in str(state["bearer_token"])
    assert all(row["used_at"] for row in state["one_time_link"])


async def test_a_second_sign_in_takes_the_place_of_the_browser_s_own_session(house: House) -> None:
    browser, other = await house.sign_in("bob"), await house.sign_in("bob")
    account = {"email": email_of("bob"), "password": PASSWORD}
    before = dict(browser.cookies)
    for path, kind in (("/v1/session", "json"), ("/sign-in", "data")):
        form: dict[str, Any] = {kind: account}
        assert (await browser.post(path, **form)).status_code in {200, 303}
        assert dict(browser.cookies) != before
        assert not await may_look(with_cookies(house, before))
        before = dict(browser.cookies)
        assert await may_look(browser)
        assert await may_look(other)
    # A link does the same, and so does another account in the same browser.
    assert (await press(browser, await link_for(house, "Alice"))).status_code == 303
    assert not await may_look(with_cookies(house, before))
    assert await may_look(other)


async def test_a_sign_in_that_fails_leaves_the_browser_s_session(house: House) -> None:
    browser = await house.sign_in("bob")
    account = {"email": email_of("bob"), "password": "not the password"}
    assert (await browser.post("/v1/session", json=account)).status_code == 401
    assert await may_look(browser)


def with_cookies(house: House, cookies: dict[str, str]) -> httpx.AsyncClient:
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return house.client(cookie=header, origin=PUBLIC_URL)


async def test_the_command_line_makes_links_by_the_same_rule(house: House) -> None:
    services = house.app.process.services
    first = await commands.make_sign_in_link(services, email_of("bob"))
    second = await commands.make_sign_in_link(services, email_of("bob"))
    assert (await house.dave.get(first)).status_code == 404
    assert (await house.dave.get(second)).status_code == 200
    last = (await log_of(house))[-1]
    assert (last["action"], last["actor_id"]) == ("link.created", None)
