"""Members: owners give and take roles, and a site is never left without an owner."""

import asyncio

import httpx

from service.clock import new_id
from tests.cast import House

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


async def test_the_last_owner_stays_one(house: House) -> None:
    known = await ids(house)
    async with house.nothing_changes():
        assert await give(house.alice, known["Alice"], "moderator") == 403
        assert (await house.alice.delete(f"{MEMBERS}/{known['Alice']}")).status_code == 403
    assert await give(house.alice, known["Alice"], "owner") == 204


async def test_two_owners_who_remove_each_other_at_once_leave_one(house: House) -> None:
    known = await ids(house)
    await give(house.alice, known["Bob"], "owner")
    removals = [(house.alice, known["Bob"]), (house.bob, known["Alice"])]
    await asyncio.gather(
        *(client.delete(f"{MEMBERS}/{moderator}") for client, moderator in removals)
    )
    members = (await house.state())["membership"]
    owners = [row for row in members if row["role"] == "owner"]
    # Charlie's is one of the two, on the other site.
    assert len(owners) == 2
