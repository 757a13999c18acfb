"""What the log tells of and somebody changes in the database itself is named, and so is what is gone."""

import pytest
from sqlalchemy import text

from tests.api.moderation.tampering import fill, verify
from tests.api.sites.test_sites import make_admin
from tests.cast import House, email_of

ONE = "(SELECT id FROM moderator WHERE name = '{}')"
BEHIND_ITS_BACK = {
    "a role raised": f"UPDATE membership SET role = 'owner' WHERE moderator_id = {ONE.format('Vera')}",
    "a member gone": f"DELETE FROM membership WHERE moderator_id = {ONE.format('Vera')}",
    "a member of no entry": "INSERT INTO membership SELECT site.id, moderator.id, 'owner', site.created_at"
    " FROM site, moderator WHERE slug = 'blog' AND name = 'Charlie'",
    "an admin": "UPDATE moderator SET is_admin = true WHERE name = 'Bob'",
    "an account disabled": "UPDATE moderator SET disabled_at = created_at WHERE name = 'Bob'",
    "an account back": "UPDATE moderator SET disabled_at = NULL WHERE name = 'Erin'",
    "a removed account back": "UPDATE moderator SET removed_at = NULL WHERE name = 'Frank'",
    "an account gone": "DELETE FROM moderator WHERE name = 'Frank'",
    "a token back": "UPDATE bearer_token SET revoked_at = NULL",
    "an article closed": "UPDATE article SET is_closed = true",
    "a comment gone": "DELETE FROM comment WHERE status = 'approved'",
}


async def act(house: House) -> None:
    """Do something of every kind that the log tells of."""
    await fill(house)
    await make_admin_by_the_house(house)
    for name in ("Erin", "Frank"):
        new = {"email": email_of(name.lower()), "name": name}
        made = (await house.charlie.post("/v1/moderators", json=new)).json()["moderator"]["id"]
        path = f"/v1/moderators/{made}"
        if name == "Erin":
            assert (await house.charlie.patch(path, json={"state": "disabled"})).is_success
        else:
            assert (await house.charlie.delete(path)).is_success
    for body in ({"name": "a"}, {"name": "b", "site": "blog"}):
        location = (await house.alice.post("/v1/tokens", json=body)).headers["location"]
        assert (await house.alice.delete(location)).is_success
    for state in ("closed", "open"):
        article = {"article": "/post", "state": state}
        assert (await house.alice.post("/v1/sites/blog/articles", json=article)).is_success


async def make_admin_by_the_house(house: House) -> None:
    """Make Charlie an admin as the log has it."""
    await make_admin(house, "Charlie")
    moderators = (await house.charlie.get("/v1/moderators")).json()["moderators"]
    ids = {one["name"]: one["id"] for one in moderators}
    await make_admin(house, "Alice")
    for client, name, admin in ((house.alice, "Charlie", False), (house.alice, "Charlie", True)):
        path = f"/v1/moderators/{ids[name]}"
        assert (await client.patch(path, json={"admin": admin})).is_success
    path = f"/v1/moderators/{ids['Alice']}"
    assert (await house.charlie.patch(path, json={"admin": False})).is_success


async def flaws_of(house: House) -> list[tuple[str, str, str]]:
    return [
        (name, flaw.kind, flaw.detail)
        for name, chain in (await verify(house)).items()
        for flaw in chain.flaws
    ]


@pytest.mark.parametrize("what", BEHIND_ITS_BACK)
async def test_what_the_log_does_not_know_of_is_named(house: House, what: str) -> None:
    await act(house)
    assert await flaws_of(house) == []
    async with house.database.writing() as session:
        connection = await session.connection()
        if not house.database.is_sqlite:
            # As somebody does it who heeds no rule of the database.
            await connection.execute(text("SET session_replication_role = replica"))
        await connection.execute(text(BEHIND_ITS_BACK[what]))
    found = await flaws_of(house)
    assert found
    assert {kind for _, kind, _ in found} == {"unlogged"}
