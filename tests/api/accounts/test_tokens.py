"""Bearer tokens: scoped by site and role, shown once, stored hashed, revoked at once."""

from typing import Any

import httpx
import pytest

from service.command_line import commands
from tests.answers import codes_of, problem_of
from tests.api.sites.test_sites import make_admin
from tests.cast import House, email_of

TOKENS = "/v1/tokens"
QUEUE = "/v1/moderation/comments"


async def make(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await client.post(TOKENS, json={"name": "script", **fields})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/v1/tokens/{answer.json()['details']['id']}"
    shown = await client.get(answer.headers["location"])
    assert (shown.status_code, shown.json()) == (200, answer.json()["details"])
    made: dict[str, Any] = answer.json()
    return made


def bearer(house: House, made: dict[str, Any]) -> httpx.AsyncClient:
    return house.client(authorization=f"Bearer {made['token']}")


async def list_tokens(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    tokens: list[dict[str, Any]] = (await client.get(TOKENS)).json()["tokens"]
    return tokens


async def test_its_text_is_shown_once_and_stored_as_a_hash(house: House) -> None:
    made = await make(house.bob, site="blog", role="viewer")
    assert made["token"] not in str(await house.state())
    listed = (await list_tokens(house.bob))[-1]
    assert listed == made["details"]
    assert listed == {
        "id": listed["id"],
        "name": "script",
        "site": "blog",
        "role": "viewer",
        "created_at": "2026-05-01T12:00:00Z",
        "last_used_at": None,
    }
    assert made["token"] not in (await house.bob.get(TOKENS)).text


async def test_last_used_says_when_to_the_minute(house: House) -> None:
    made = await make(house.bob)
    script = bearer(house, made)
    house.clock.advance(hours=1)
    await script.get(QUEUE)
    house.clock.advance(seconds=30)
    await script.get(QUEUE)
    assert (await list_tokens(house.bob))[-1]["last_used_at"] == "2026-05-01T13:00:00Z"


async def test_a_token_of_a_site_reaches_no_other(house: House) -> None:
    alice = {"email": email_of("alice"), "name": "Alice", "role": "owner"}
    await house.charlie.post("/v1/sites/elsewhere/members", json=alice)
    theirs = await house.submit(site="elsewhere")
    script = bearer(house, await make(house.alice, site="blog"))
    assert [one["slug"] for one in (await script.get("/v1/sites")).json()["sites"]] == ["blog"]
    assert (await script.get(QUEUE)).json()["comments"] == []
    assert (await script.get(f"{QUEUE}/{theirs.id}")).status_code == 404
    assert (await script.get("/v1/sites/elsewhere")).status_code == 404
    assert len((await house.alice.get("/v1/sites")).json()["sites"]) == 2


async def test_a_token_of_a_role_does_no_more_than_it(house: House) -> None:
    comment = await house.submit()
    decision = {"decisions": [{"comment": comment.id, "version": 1, "action": "approve"}]}
    viewer = bearer(house, await make(house.alice, role="viewer"))
    moderator = bearer(house, await make(house.alice, role="moderator"))
    assert (await viewer.get(QUEUE)).status_code == 200
    assert (await viewer.post("/v1/moderation/decisions", json=decision)).status_code == 403
    assert (await moderator.patch("/v1/sites/blog", json={"title": "x"})).status_code == 403
    assert (await moderator.post("/v1/moderation/decisions", json=decision)).status_code == 200


async def test_a_token_never_reaches_further_than_its_moderator(house: House) -> None:
    async with house.nothing_changes():
        for site, role, status in (
            ("blog", "owner", 403),
            ("elsewhere", None, 404),
            ("nowhere", None, 404),
            ("", None, 422),
        ):
            fields = {"name": "script", "site": site, "role": role}
            assert (await house.bob.post(TOKENS, json=fields)).status_code == status
    owner = bearer(house, await make(house.bob, role="owner"))
    assert (await owner.patch("/v1/sites/blog", json={"title": "x"})).status_code == 403


async def test_a_narrowed_token_makes_lists_and_revokes_none(house: House) -> None:
    for scope in ({"site": "blog"}, {"role": "moderator"}):
        made = await make(house.bob, **scope)
        script = bearer(house, made)
        assert (await script.post(TOKENS, json={"name": "more"})).status_code == 403
        assert (await script.get(TOKENS)).status_code == 403
        assert (await script.get(f"{TOKENS}/{made['details']['id']}")).status_code == 403
        assert (await script.delete(f"{TOKENS}/{made['details']['id']}")).status_code == 403


async def test_a_revoked_token_ends_at_once(house: House) -> None:
    made = await make(house.bob)
    script, path = bearer(house, made), f"{TOKENS}/{made['details']['id']}"
    assert (await script.get(QUEUE)).status_code == 200
    assert (await house.bob.delete(path)).status_code == 204
    assert (await script.get(QUEUE)).status_code == 401
    assert (await house.bob.delete(path)).status_code == 404
    assert (await house.bob.get(path)).status_code == 404
    assert made["details"]["id"] not in {one["id"] for one in await list_tokens(house.bob)}


async def test_nobody_revokes_another_s_token(house: House) -> None:
    made = await make(house.bob)
    async with house.nothing_changes():
        for other in (house.alice, house.charlie):
            for ask in (other.get, other.delete):
                answers = [await ask(f"{TOKENS}/{one}") for one in (made["details"]["id"], "x")]
                assert [one.status_code for one in answers] == [404, 404]
                assert answers[0].content == answers[1].content
    assert made["details"]["id"] not in {one["id"] for one in await list_tokens(house.alice)}


async def test_a_moderator_who_leaves_the_site_takes_the_token_s_reach_away(house: House) -> None:
    script = bearer(house, await make(house.bob, site="blog"))
    members = (await house.alice.get("/v1/sites/blog/members")).json()["members"]
    bob = next(one["moderator"]["id"] for one in members if one["moderator"]["name"] == "Bob")
    await house.alice.delete(f"/v1/sites/blog/members/{bob}")
    assert (await script.get(QUEUE)).json()["comments"] == []
    assert (await script.get(QUEUE, params={"site": "blog"})).status_code == 404


@pytest.mark.parametrize("blank", ["", " ", "\u200b", "\u2800"])
async def test_a_name_that_nobody_can_see_is_missing(house: House, blank: str) -> None:
    async with house.nothing_changes():
        answer = await house.bob.post(TOKENS, json={"name": blank})
    assert codes_of(problem_of(answer, 422)) == {"#/name": "name_required"}
    made = await make(house.bob, name=" my\tscript\u200b")
    assert made["details"]["name"] == "my script"


async def test_a_token_that_opens_nothing_is_not_made(house: House) -> None:
    members = (await house.alice.get("/v1/sites/blog/members")).json()["members"]
    bob = next(one["moderator"]["id"] for one in members if one["moderator"]["name"] == "Bob")
    await house.alice.delete(f"/v1/sites/blog/members/{bob}")
    async with house.nothing_changes():
        refused = await house.bob.post(TOKENS, json={"name": "script"})
        of_site = await house.bob.post(TOKENS, json={"name": "script", "site": "blog"})
    assert "open nothing" in problem_of(refused, 403).detail
    assert of_site.status_code == 404
    # An admin needs no role.
    await make_admin(house, "Bob")
    await make(house.bob)


async def test_the_log_says_who_made_it(house: House) -> None:
    made = await make(house.bob)
    services = house.app.process.services
    await commands.make_bearer_token(services, email_of("bob"), None, None, "typed")
    entries = [row for row in (await house.state())["log_entry"] if row["action"] == "token.created"]
    by_api, typed = sorted(entries, key=lambda row: row["seq"])[-2:]
    assert by_api["subject"] == made["details"]["id"]
    assert by_api["actor_id"] is not None
    # Nobody's: who types on the machine is no moderator.
    assert typed["actor_id"] is None
