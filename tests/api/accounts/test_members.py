"""Members: owners give and take roles, and a site is never left without an owner."""

import asyncio

import httpx

from service.clock import new_id
from tests.answers import codes_of, problem_of
from tests.api.sites.test_sites import make_admin
from tests.cast import House, email_of

MEMBERS = "/v1/sites/blog/members"


async def ids(house: House) -> dict[str, str]:
    """Give the ids of the members of `blog` by their names."""
    members = (await house.vera.get(MEMBERS)).json()["members"]
    return {one["moderator"]["name"]: one["moderator"]["id"] for one in members}


async def roles(house: House) -> dict[str, str]:
    members = (await house.alice.get(MEMBERS)).json()["members"]
    return {one["moderator"]["name"]: one["role"] for one in members}


async def give(client: httpx.AsyncClient, moderator: str, role: str) -> int:
    return (await client.put(f"{MEMBERS}/{moderator}", json={"role": role})).status_code


async def test_they_are_listed_by_name_and_never_with_an_address(house: House) -> None:
    answer = await house.vera.get(MEMBERS)
    assert [one["moderator"]["name"] for one in answer.json()["members"]] == [
        "Alice",
        "Bob",
        "Vera",
    ]
    assert set(answer.json()["members"][0]) == {"moderator", "role", "since"}
    assert set(answer.json()["members"][0]["moderator"]) == {"id", "name"}
    assert "@" not in answer.text


async def test_a_role_that_is_given_or_taken_counts_at_once(house: House) -> None:
    known = await ids(house)
    assert await give(house.bob, known["Vera"], "moderator") == 403
    assert await give(house.alice, known["Vera"], "owner") == 204
    assert (await house.vera.patch("/v1/sites/blog", json={"title": "Ours"})).status_code == 200
    assert (await house.alice.delete(f"{MEMBERS}/{known['Bob']}")).status_code == 204
    assert (await house.bob.get(MEMBERS)).status_code == 404
    assert await roles(house) == {"Alice": "owner", "Vera": "owner"}


async def test_who_is_no_moderator_gets_no_role(house: House) -> None:
    known = await ids(house)
    async with house.nothing_changes():
        for unknown in (str(new_id()), "nonsense", known["Bob"].upper()):
            assert await give(house.alice, unknown, "viewer") == 404
            assert (await house.alice.delete(f"{MEMBERS}/{unknown}")).status_code == 404
        assert await give(house.alice, known["Bob"], "king") == 422


async def test_who_is_no_member_is_answered_like_who_is_nobody(house: House) -> None:
    charlie = (await house.charlie.get("/v1/sites/elsewhere/members")).json()["members"][0]
    answers = [
        await house.alice.delete(f"{MEMBERS}/{one}")
        for one in (charlie["moderator"]["id"], str(new_id()), "nonsense")
    ]
    answers.append(await house.alice.get(f"{MEMBERS}/{charlie['moderator']['id']}"))
    answers += [
        await house.alice.put(f"{MEMBERS}/{one}", json={"role": "viewer"})
        for one in (charlie["moderator"]["id"], str(new_id()), "nonsense")
    ]
    assert {(one.status_code, one.content) for one in answers} == {(404, answers[0].content)}
    assert "Charlie" not in await roles(house)


async def test_an_admin_gives_any_account_a_role(house: House) -> None:
    charlie = (await house.charlie.get("/v1/sites/elsewhere/members")).json()["members"][0]
    await make_admin(house, "Alice")
    assert await give(house.alice, charlie["moderator"]["id"], "viewer") == 204
    assert (await roles(house))["Charlie"] == "viewer"
    assert await give(house.alice, str(new_id()), "viewer") == 404


async def test_the_last_owner_stays_one_whoever_asks(house: House) -> None:
    known = await ids(house)
    await make_admin(house, "Charlie")
    async with house.nothing_changes():
        for client in (house.alice, house.charlie):
            assert await give(client, known["Alice"], "moderator") == 409
            refused = await client.delete(f"{MEMBERS}/{known['Alice']}")
            assert problem_of(refused, 409).type == "/problems/last-owner"
    assert await give(house.alice, known["Alice"], "owner") == 204


async def test_an_owner_who_cannot_sign_in_is_not_the_one_who_stays(house: House) -> None:
    known = await ids(house)
    await make_admin(house, "Charlie")
    erin = (await add(house.alice, "erin@moderators.example", role="owner")).json()["moderator"]
    leave, link = f"{MEMBERS}/{known['Alice']}", f"/v1/moderators/{erin['id']}/link"
    assert problem_of(await house.alice.delete(leave), 409).type == "/problems/last-owner"
    # An open link is a way in, until it ends.
    assert (await house.charlie.post(link)).status_code == 200
    house.clock.advance(hours=25)
    assert (await house.alice.delete(leave)).status_code == 409
    assert (await house.charlie.post(link)).status_code == 200
    assert (await house.alice.delete(leave)).status_code == 204


async def test_two_owners_who_remove_each_other_at_once_leave_one(house: House) -> None:
    known = await ids(house)
    await give(house.alice, known["Bob"], "owner")
    removals = [(house.alice, known["Bob"]), (house.bob, known["Alice"])]
    await asyncio.gather(*(client.delete(f"{MEMBERS}/{moderator}") for client, moderator in removals))
    members = (await house.state())["membership"]
    owners = [row for row in members if row["role"] == "owner"]
    # Charlie's is one of the two, on the other site.
    assert len(owners) == 2


async def add(client: httpx.AsyncClient, email: str, **fields: str) -> httpx.Response:
    new = {"email": email, "name": "Erin", "role": "moderator", **fields}
    return await client.post(MEMBERS, json=new)


async def test_who_has_no_account_is_added_by_address(house: House) -> None:
    answer = await add(house.alice, "Erin@moderators.example")
    assert answer.status_code == 201
    member = answer.json()
    assert (member["moderator"]["name"], member["role"]) == ("Erin", "moderator")
    assert (await house.vera.get(answer.headers["location"])).json() == member
    assert member in (await house.alice.get(MEMBERS)).json()["members"]
    state = await house.state()
    logged = {row["action"] for row in state["log_entry"] if member["moderator"]["id"] in str(row)}
    assert logged == {"moderator.created", "member.changed"}
    # No link is made that the owner of a site could use in the name of somebody else.
    assert state["one_time_link"] == []
    assert "sign-in" not in answer.text


async def test_who_has_an_account_keeps_its_name_and_the_owner_is_told_the_same(
    house: House,
) -> None:
    known = await add(house.alice, email_of("charlie"))
    unknown = await add(house.alice, "erin@moderators.example")
    assert known.status_code == unknown.status_code == 201
    assert known.json().keys() == unknown.json().keys()
    assert known.headers.keys() == unknown.headers.keys()
    assert known.json()["moderator"]["name"] == "Charlie"
    assert (await house.charlie.get(MEMBERS)).status_code == 200
    moderators = [row for row in (await house.state())["moderator"] if row["name"] == "Charlie"]
    assert len(moderators) == 1


async def test_who_is_a_member_already_is_not_added_again(house: House) -> None:
    async with house.nothing_changes():
        refused = await add(house.alice, email_of("bob"), role="owner")
    assert problem_of(refused, 409).type == "/problems/member-exists"


async def test_of_several_who_add_somebody_at_once_one_does_and_the_others_are_told(
    house: House,
) -> None:
    for email in ("erin@moderators.example", email_of("charlie")):
        answers = await asyncio.gather(*(add(house.alice, email) for _ in range(4)))
        assert sorted(one.status_code for one in answers) == [201] + [409] * 3, email
        types = {one.json()["type"] for one in answers if one.status_code == 409}
        assert types == {"/problems/member-exists"}


async def test_only_owners_add_and_every_wrong_field_is_named(house: House) -> None:
    async with house.nothing_changes():
        for client, status in ((house.bob, 403), (house.vera, 403), (house.charlie, 404)):
            assert (await add(client, "erin@moderators.example")).status_code == status
        missing = await house.alice.post(MEMBERS, json={})
        wrong = await add(house.alice, "erin@", role="moderator")
        king = await add(house.alice, "erin@moderators.example", role="king")
    assert codes_of(problem_of(missing, 422)) == {
        "#/email": "email_required",
        "#/name": "name_required",
        "#/role": "role_required",
    }
    assert codes_of(problem_of(wrong, 422)) == {"#/email": "email_invalid"}
    assert codes_of(problem_of(king, 422)) == {"#/role": "role_invalid"}


async def test_an_owner_adds_thirty_in_an_hour_and_an_admin_any_number(house: House) -> None:
    for number in range(30):
        added = await add(house.alice, f"erin-{number}@moderators.example", role="viewer")
        assert added.status_code == 201
    async with house.nothing_changes():
        refused = await add(house.alice, "erin@moderators.example")
    assert refused.status_code == 429
    assert refused.headers["ratelimit-policy"] == '"members";q=30;w=3600'
    await make_admin(house, "Alice")
    assert (await add(house.alice, "erin@moderators.example")).status_code == 201


async def test_a_role_that_is_taken_frees_what_was_claimed(house: House) -> None:
    known = await ids(house)
    claim = {"site": "blog", "limit": 1, "lease_seconds": 900}
    for taken in ("viewer", None):
        await house.submit()
        await give(house.alice, known["Bob"], "moderator")
        held = (await house.bob.post("/v1/moderation/claims", json=claim)).json()["comments"]
        assert len(held) == 1
        if taken:
            await give(house.alice, known["Bob"], taken)
        else:
            await house.alice.delete(f"{MEMBERS}/{known['Bob']}")
        freed = (await house.alice.get(f"/v1/moderation/comments/{held[0]['id']}")).json()
        assert freed["claim"] is None
        await house.alice.delete("/v1/moderation/claims")
