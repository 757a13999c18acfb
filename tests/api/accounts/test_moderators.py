"""Accounts in the hands of admins: who there is, who may come in, and who leaves for good."""

import asyncio
from typing import Any

import httpx
import pytest

from service.clock import new_id
from tests.answers import problem_of
from tests.api.accounts.test_new_password import log_of, may_look
from tests.api.accounts.test_one_time_links import link_for, press
from tests.api.sites.test_sites import make_admin
from tests.cast import PASSWORD, House, email_of

MODERATORS = "/v1/moderators"
NEW = {"email": "erin@moderators.example", "name": "Erin"}


@pytest.fixture
async def admin(house: House) -> httpx.AsyncClient:
    """Give Alice as an admin of the installation."""
    await make_admin(house, "Alice")
    return house.alice


async def id_of(admin: httpx.AsyncClient, name: str) -> str:
    listed = (await admin.get(MODERATORS)).json()["moderators"]
    [found] = [one["id"] for one in listed if one["name"] == name]
    return str(found)


async def show(admin: httpx.AsyncClient, moderator: str) -> dict[str, Any]:
    answer = await admin.get(f"{MODERATORS}/{moderator}")
    assert answer.status_code == 200
    shown: dict[str, Any] = answer.json()
    return shown


async def change(by: httpx.AsyncClient, moderator: str, **fields: Any) -> httpx.Response:
    return await by.patch(f"{MODERATORS}/{moderator}", json=fields)


async def sign_in(house: House, name: str) -> int:
    account = {"email": email_of(name), "password": PASSWORD}
    return (await house.client().post("/v1/session", json=account)).status_code


async def test_they_are_listed_with_their_roles_and_without_addresses(
    house: House, admin: httpx.AsyncClient
) -> None:
    answer = await admin.get(MODERATORS)
    listed = answer.json()["moderators"]
    assert [one["name"] for one in listed] == ["Alice", "Bob", "Vera", "Charlie"]
    assert listed[1] == {
        "id": listed[1]["id"],
        "name": "Bob",
        "state": "active",
        "admin": False,
        "has_password": True,
        "roles": [{"site": "blog", "role": "moderator"}],
        "created_at": "2026-05-01T12:00:00Z",
    }
    assert await show(admin, listed[1]["id"]) == listed[1]
    assert "@" not in answer.text


async def test_cursors_walk_all_of_them(house: House, admin: httpx.AsyncClient) -> None:
    names: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await admin.get(MODERATORS, params={"limit": 1, **cursor})).json()
        names += [one["name"] for one in page["moderators"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert names == ["Alice", "Bob", "Vera", "Charlie"]


async def test_to_who_is_no_admin_there_are_none(house: House) -> None:
    await make_admin(house, "Charlie")
    bob = await id_of(house.charlie, "Bob")
    narrow = (await house.charlie.post("/v1/tokens", json={"name": "x", "role": "owner"})).json()
    script = house.client(authorization=f"Bearer {narrow['token']}")
    limited = (await house.charlie.post("/v1/tokens", json={"name": "x", "site": "blog"})).json()
    limited_script = house.client(authorization=f"Bearer {limited['token']}")
    assert (await script.get(MODERATORS)).status_code == 200
    async with house.nothing_changes():
        assert (await house.alice.get(MODERATORS)).status_code == 403
        assert (await house.alice.post(MODERATORS, json=NEW)).status_code == 403
        for client, status in ((house.alice, 404), (house.bob, 404), (limited_script, 403)):
            path = f"{MODERATORS}/{bob}"
            answers = [
                await client.get(path),
                await client.patch(path, json={"state": "disabled"}),
                await client.delete(path),
                await client.post(f"{path}/sign-out"),
                await client.post(f"{path}/link"),
            ]
            assert [answer.status_code for answer in answers] == [status] * 5
        for unknown in (str(new_id()), "nonsense", bob.upper()):
            assert (await house.charlie.delete(f"{MODERATORS}/{unknown}")).status_code == 404


async def test_a_new_one_gets_a_link_and_stands_in_the_log(house: House, admin: httpx.AsyncClient) -> None:
    house.clock.advance(minutes=1)
    answer = await admin.post(MODERATORS, json={**NEW, "admin": True})
    assert answer.status_code == 201
    made = answer.json()
    assert (await admin.get(answer.headers["location"])).json() == made["moderator"]
    assert (made["moderator"]["admin"], made["moderator"]["has_password"]) == (True, False)
    assert made["link"]["expires_at"] == "2026-05-02T12:01:00Z"
    entries = await log_of(house)
    assert [row["action"] for row in entries] == ["moderator.created", "link.created"]
    alice = await id_of(admin, "Alice")
    assert {str(row["actor_id"]) for row in entries} == {alice}
    erin = house.client()
    assert (await press(erin, made["link"]["url"])).status_code == 303
    assert (await erin.get(MODERATORS)).status_code == 200
    again = problem_of(await admin.post(MODERATORS, json={**NEW, "email": "ERIN@moderators.example"}), 409)
    assert again.type == "/problems/account-exists"


async def test_of_several_who_make_one_account_at_once_one_does_and_the_others_are_told(
    admin: httpx.AsyncClient,
) -> None:
    answers = await asyncio.gather(*(admin.post(MODERATORS, json=NEW) for _ in range(6)))
    assert sorted(one.status_code for one in answers) == [201] + [409] * 5
    types = {one.json()["type"] for one in answers if one.status_code == 409}
    assert types == {"/problems/account-exists"}


async def test_an_address_that_is_none_is_named_and_not_repeated(
    house: House, admin: httpx.AsyncClient
) -> None:
    async with house.nothing_changes():
        answer = await admin.post(MODERATORS, json={"email": "erin@", "name": "Erin"})
        missing = await admin.post(MODERATORS, json={})
    [error] = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("#/email", "email_invalid")
    assert "erin@" not in answer.text
    assert [one["code"] for one in missing.json()["errors"]] == ["email_required", "name_required"]


async def test_who_is_disabled_is_out_until_enabled_again(house: House, admin: httpx.AsyncClient) -> None:
    await house.submit()
    claim = {"site": "blog", "limit": 1, "lease_seconds": 900}
    assert len((await house.bob.post("/v1/moderation/claims", json=claim)).json()["comments"]) == 1
    browser, link, bob = (
        await house.sign_in("bob"),
        await link_for(house, "Bob"),
        await id_of(admin, "Bob"),
    )
    house.clock.advance(minutes=1)
    answer = await change(admin, bob, state="disabled")
    assert (answer.status_code, answer.json()["state"]) == (200, "disabled")
    for client in (browser, house.bob):
        assert not await may_look(client)
    assert await sign_in(house, "bob") == 401
    assert (await press(house.client(), link)).status_code == 404
    refused = problem_of(await admin.post(f"{MODERATORS}/{bob}/link"), 409)
    assert refused.type == "/problems/account-disabled"
    # What was claimed is free, and nobody has to wait for the lease.
    assert len((await house.alice.post("/v1/moderation/claims", json=claim)).json()["comments"]) == 1
    actions = [(row["action"], row["subject"]) for row in await log_of(house)]
    assert actions[0] == ("moderator.disabled", bob)
    assert [action for action, _ in actions[1:]] == ["token.revoked"]
    async with house.nothing_changes():
        assert (await change(admin, bob, state="disabled")).status_code == 200
    assert (await change(admin, bob, state="active")).json()["roles"] == [
        {"site": "blog", "role": "moderator"}
    ]
    assert await sign_in(house, "bob") == 200
    # A session or token that has ended does not come back.
    assert not await may_look(house.bob)


async def test_who_is_removed_leaves_id_and_name_to_the_log(house: House, admin: httpx.AsyncClient) -> None:
    comment = await house.publish()
    browser, bob = await house.sign_in("bob"), await id_of(admin, "Bob")
    assert (await admin.delete(f"{MODERATORS}/{bob}")).status_code == 204
    for client in (browser, house.bob):
        assert not await may_look(client)
    assert await sign_in(house, "bob") == 401
    assert (await admin.get(f"{MODERATORS}/{bob}")).status_code == 404
    assert "Bob" not in (await admin.get(MODERATORS)).text
    assert "Bob" not in (await admin.get("/v1/sites/blog/members")).text
    put = await admin.put(f"/v1/sites/blog/members/{bob}", json={"role": "owner"})
    assert put.status_code == 404
    state = await house.state()
    assert bob not in {str(row["id"]) for row in state["sealed_address"]}
    [row] = [row for row in state["moderator"] if str(row["id"]) == bob]
    assert (row["name"], row["password_hash"]) == ("Bob", None)
    # The comment stays decided, and the log says by whom; that he left stands in both logs.
    seen = (await admin.get(f"/v1/moderation/comments/{comment.id}")).json()
    assert (seen["status"], seen["log"][0]["actor"]) == ("approved", {"id": bob, "name": "Bob"})
    left = {row["action"]: row["subject"] for row in state["log_entry"] if bob in str(row["subject"])}
    assert left["moderator.removed"] == bob
    assert left["member.changed"] == f"{bob}:none"
    # The address is free for a new account, which has nothing of the old one.
    made = await admin.post(MODERATORS, json={"email": email_of("bob"), "name": "Bob"})
    assert made.status_code == 201
    assert made.json()["moderator"]["id"] != bob
    assert made.json()["moderator"]["roles"] == []


async def test_signing_somebody_out_ends_sessions_and_links_and_if_asked_tokens(
    house: House, admin: httpx.AsyncClient
) -> None:
    browser, link, bob = (
        await house.sign_in("bob"),
        await link_for(house, "Bob"),
        await id_of(admin, "Bob"),
    )
    assert (await admin.post(f"{MODERATORS}/{bob}/sign-out")).status_code == 204
    assert not await may_look(browser)
    assert (await press(house.client(), link)).status_code == 404
    assert await may_look(house.bob)
    assert await sign_in(house, "bob") == 200
    path = f"{MODERATORS}/{bob}/sign-out"
    assert (await admin.post(path, json={"tokens": True})).status_code == 204
    assert not await may_look(house.bob)
    actions = [row["action"] for row in await log_of(house)]
    assert actions.count("moderator.signed_out") == 2


async def test_the_last_of_them_stays(house: House, admin: httpx.AsyncClient) -> None:
    alice, charlie = await id_of(admin, "Alice"), await id_of(admin, "Charlie")
    async with house.nothing_changes():
        for answer in (
            await change(admin, alice, admin=False),
            await change(admin, alice, state="disabled"),
            await admin.delete(f"{MODERATORS}/{alice}"),
        ):
            assert problem_of(answer, 409).type == "/problems/last-admin"
        for answer in (
            await change(admin, charlie, state="disabled"),
            await change(admin, charlie, state="disabled", admin=True),
            await admin.delete(f"{MODERATORS}/{charlie}"),
        ):
            problem = problem_of(answer, 409)
            assert problem.type == "/problems/last-owner"
            assert "elsewhere" in problem.detail
    # One who cannot sign in is no other owner and no other admin.
    bob = await id_of(admin, "Bob")
    await admin.put(f"/v1/sites/elsewhere/members/{bob}", json={"role": "owner"})
    assert (await change(admin, bob, admin=True, state="disabled")).status_code == 200
    for answer in (
        await admin.delete(f"{MODERATORS}/{charlie}"),
        await change(admin, alice, admin=False),
    ):
        assert answer.status_code == 409
    new = {"email": "erin@moderators.example", "name": "Erin", "admin": True}
    assert (await admin.post(MODERATORS, json=new)).status_code == 201
    # Her link is a way in for a day, and she took none of it.
    house.clock.advance(hours=25)
    assert (await change(admin, alice, admin=False)).status_code == 409
    assert (await change(admin, bob, state="active")).status_code == 200
    assert (await change(admin, alice, admin=False)).status_code == 200
    assert (await admin.get(MODERATORS)).status_code == 403


async def test_of_two_admins_who_remove_each_other_at_once_one_stays(house: House) -> None:
    for name in ("Bob", "Vera"):
        await make_admin(house, name)
    bob, vera = await id_of(house.bob, "Bob"), await id_of(house.bob, "Vera")
    await asyncio.gather(house.bob.delete(f"{MODERATORS}/{vera}"), house.vera.delete(f"{MODERATORS}/{bob}"))
    moderators = (await house.state())["moderator"]
    assert sum(row["is_admin"] and row["removed_at"] is None for row in moderators) == 1


async def test_an_admin_lists_and_revokes_the_tokens_of_others(
    house: House, admin: httpx.AsyncClient
) -> None:
    bob = await id_of(admin, "Bob")
    path = f"/v1/tokens?moderator={bob}"
    [token] = (await admin.get(path)).json()["tokens"]
    assert [one["id"] for one in (await house.bob.get(path)).json()["tokens"]] == [token["id"]]
    async with house.nothing_changes():
        assert (await house.vera.get(path)).status_code == 404
        assert (await house.vera.delete(f"/v1/tokens/{token['id']}")).status_code == 404
        assert (await admin.get("/v1/tokens?moderator=nonsense")).status_code == 404
    assert (await admin.delete(f"/v1/tokens/{token['id']}")).status_code == 204
    assert not await may_look(house.bob)
    assert (await admin.get(path)).json()["tokens"] == []
