"""The log as moderators read it: ids, codes and times, one chain per site, the newest first."""

from typing import Any

import httpx

from tests.api.sites.test_sites import make_admin
from tests.cast import House, email_of

LOG = "/v1/moderation/log"


async def list_log(client: httpx.AsyncClient, **query: str | int) -> dict[str, Any]:
    answer = await client.get(LOG, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_entries_come_newest_first_with_ids_codes_and_times(house: House) -> None:
    comment = await house.submit()
    [decided] = await house.reject(comment.id, reason="abusive")
    newest, *older = (await list_log(house.bob))["entries"]
    assert newest == {
        "id": decided.decision,
        "site": "blog",
        "seq": older[0]["seq"] + 1,
        "at": "2026-05-01T12:00:00Z",
        "actor": {"id": newest["actor"]["id"], "name": "Bob"},
        "action": "reject",
        "comment": comment.id,
        "from": "pending",
        "to": "rejected",
        "version": 2,
        "reason": "abusive",
        "subject": None,
        "note": None,
        "note_erased": False,
        "hash": newest["hash"],
    }
    assert len(newest["hash"]) == 64
    assert older[-1]["action"] == "site.created"
    assert [line["seq"] for line in older] == list(range(len(older), 0, -1))


async def test_every_kind_of_work_leaves_its_line(house: House) -> None:
    comment = await house.publish()
    await house.withdraw(comment)
    await house.set("max_depth=3")
    await house.bob.post(f"/v1/moderation/comments/{comment.id}/email-reveals", json={"purpose": "To ask."})
    await house.alice.post("/v1/sites/blog/articles", json={"article": "/x", "state": "closed"})
    [vera] = [
        one["moderator"]["id"]
        for one in (await house.alice.get("/v1/sites/blog/members")).json()["members"]
        if one["moderator"]["name"] == "Vera"
    ]
    await house.alice.put(f"/v1/sites/blog/members/{vera}", json={"role": "moderator"})
    await house.alice.post("/v1/tokens", json={"name": "script", "site": "blog"})
    lines = (await list_log(house.alice, site="blog", limit=7))["entries"]
    assert [line["action"] for line in lines] == [
        "token.created",
        "member.changed",
        "article.closed",
        "reveal",
        "site.changed",
        "withdraw",
        "approve",
    ]
    assert lines[1]["subject"] == f"{vera}:moderator"
    assert lines[4]["subject"] == "max_depth"
    assert lines[5]["actor"] is None


async def test_cursors_walk_every_entry_once(house: House) -> None:
    for _ in range(3):
        await house.publish()
    whole = (await list_log(house.bob, limit=200))["entries"]
    seen: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = await list_log(house.bob, limit=2, **cursor)
        seen += page["entries"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == whole


async def test_a_log_is_one_site_s_own(house: House) -> None:
    await house.publish()
    theirs = (await list_log(house.charlie))["entries"]
    assert {line["site"] for line in theirs} == {"elsewhere"}
    assert (await house.charlie.get(LOG, params={"site": "blog"})).status_code == 404
    assert (await list_log(house.vera))["entries"] != []


async def test_the_installation_s_own_is_for_admins_whose_credentials_nothing_narrows(
    house: House,
) -> None:
    await make_admin(house, "Alice")
    assert None in {line["site"] for line in (await list_log(house.alice))["entries"]}
    made = (await house.alice.post("/v1/tokens", json={"name": "x", "role": "viewer"})).json()
    narrowed = house.client(authorization=f"Bearer {made['token']}")
    sites = {line["site"] for line in (await list_log(narrowed))["entries"]}
    assert sites == {"blog", "elsewhere"}


async def test_no_address_stands_in_the_log(house: House) -> None:
    comment = await house.publish(email="dave@mail.example")
    await house.reject(comment.id)
    answer = await house.alice.get(LOG, params={"limit": 200})
    assert "@" not in answer.text
    assert email_of("bob") not in answer.text


async def test_every_wrong_parameter_is_named(house: House) -> None:
    for wrong in ({"limit": "0"}, {"limit": "201"}, {"cursor": "nonsense"}, {"site": "x" * 64}):
        answer = await house.bob.get(LOG, params=wrong)
        assert answer.status_code == 422, wrong
        assert {one["parameter"] for one in answer.json()["errors"]} == set(wrong)
