"""Claims: a lease on pending comments that ends by itself, and that two moderators never share."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlmodel import col, insert, select

from service.clock import new_id
from service.comments.tables import Comment
from tests.cast import House

pytestmark = pytest.mark.both

CLAIMS = "/v1/moderation/claims"


async def try_claim(client: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    command = {"site": "blog", "limit": 10, "lease_seconds": 60, "order": "oldest", **fields}
    return await client.post(CLAIMS, json=command)


async def claim(client: httpx.AsyncClient, **fields: Any) -> list[str]:
    """Claim comments and give the ids of those that are newly held."""
    answer = await try_claim(client, **fields)
    assert answer.status_code == 200, answer.text
    return [comment["id"] for comment in answer.json()["comments"]]


async def renew(client: httpx.AsyncClient, comments: list[str], lease_seconds: int) -> list[str]:
    command = {"comments": comments, "lease_seconds": lease_seconds}
    answer = await client.put(CLAIMS, json=command)
    assert answer.status_code == 200, answer.text
    return [comment["id"] for comment in answer.json()["comments"]]


async def test_a_claim_takes_the_oldest_pending_and_names_its_holder(house: House) -> None:
    decided, first, second, third = [(await house.submit()).id for _ in range(4)]
    await house.approve(decided)
    answer = (await try_claim(house.bob, limit=2, lease_seconds=90)).json()
    assert [comment["id"] for comment in answer["comments"]] == [first, second]
    assert answer["expires_at"] == "2026-05-01T12:01:30Z"
    held = answer["comments"][0]["claim"]
    assert held["by"]["name"] == "Bob"
    assert held["expires_at"] == answer["expires_at"]
    assert (await house.look(third)).claim is None


async def test_a_claim_by_another_is_passed_over_and_one_s_own_is_not_new(house: House) -> None:
    submitted = [(await house.submit()).id for _ in range(3)]
    assert await claim(house.bob, limit=1) == submitted[:1]
    assert await claim(house.bob, limit=1) == submitted[1:2]
    assert await claim(house.alice) == submitted[2:]
    assert await claim(house.alice) == []


async def test_a_claim_leaves_the_version_alone(house: House) -> None:
    submitted = await house.submit()
    await claim(house.bob)
    assert (await house.look(submitted.id)).version == 1


async def test_a_claim_whose_time_is_up_is_free_with_nobody_doing_anything(house: House) -> None:
    submitted = await house.submit()
    await claim(house.bob, lease_seconds=60)
    house.clock.advance(seconds=59)
    assert await claim(house.alice) == []
    house.clock.advance(seconds=1)
    assert (await house.look(submitted.id)).claim is None
    assert await claim(house.alice) == [submitted.id]


async def test_a_renewal_prolongs_only_what_is_still_one_s_own(house: House) -> None:
    mine, theirs, free = [(await house.submit()).id for _ in range(3)]
    await claim(house.bob, limit=1)
    await claim(house.alice, limit=1)
    house.clock.advance(seconds=50)
    assert await renew(house.bob, [mine, theirs, free, "nonsense"], 60) == [mine]
    house.clock.advance(seconds=59)
    assert (await house.look(mine)).claim is not None
    house.clock.advance(seconds=1)
    assert await renew(house.bob, [mine], 60) == []


async def test_giving_back_frees_all_of_one_s_own_and_nobody_else_s(house: House) -> None:
    mine, theirs = [(await house.submit()).id for _ in range(2)]
    await claim(house.bob, limit=1)
    await claim(house.alice, limit=1)
    assert (await house.bob.delete(CLAIMS)).status_code == 204
    assert (await house.look(mine)).claim is None
    assert (await house.look(theirs)).claim is not None


async def test_any_change_of_status_releases(house: House) -> None:
    decided, withdrawn = await house.submit(), await house.submit()
    await claim(house.bob)
    await house.approve(decided.id)
    await house.requeue(decided.id)
    await house.withdraw(withdrawn)
    assert (await house.look(decided.id)).claim is None
    assert (await house.look(withdrawn.id)).claim is None
    assert await claim(house.alice) == [decided.id]


async def copy_pending(house: House, total: int) -> None:
    """Copy the oldest comment until there are `total`, a thousand times as fast as by submitting."""
    async with house.database.writing() as session:
        comments = (await session.exec(select(Comment).order_by(col(Comment.id)))).all()
        row = {**comments[0].model_dump(), "fingerprint": None}
        copies = [{**row, "id": new_id()} for _ in range(total - len(comments))]
        await session.exec(insert(Comment), params=copies)


async def test_a_moderator_holds_at_most_two_hundred(house: House) -> None:
    for _ in range(3):
        await house.submit()
    await copy_pending(house, 202)
    for size in (50, 50, 50, 49):
        assert len(await claim(house.bob, limit=size)) == size
    assert len(await claim(house.bob, limit=50)) == 1
    refused = await try_claim(house.bob)
    assert refused.status_code == 409
    assert refused.json()["type"] == "/problems/too-many-claims"
    assert len(await claim(house.alice)) == 2
    house.clock.advance(seconds=60)
    assert len(await claim(house.bob, limit=50)) == 50


async def test_only_moderators_of_the_site_may_claim(house: House) -> None:
    await house.submit()
    async with house.nothing_changes():
        assert (await try_claim(house.vera)).status_code == 403
        assert (await try_claim(house.charlie)).status_code == 404
        assert (await try_claim(house.bob, site="nowhere")).status_code == 404


async def test_every_bound_of_a_claim_is_held(house: House) -> None:
    bad: dict[str, list[object]] = {
        "limit": [0, 51, "x"],
        "lease_seconds": [29, 901, None],
        "order": ["newest", 1],
        "site": [None, 7],
    }
    for field, values in bad.items():
        for value in values:
            answer = await try_claim(house.bob, **{field: value})
            assert answer.status_code == 422, (field, value)
            assert [one["pointer"] for one in answer.json()["errors"]] == [f"#/{field}"]
    missing = (await house.bob.post(CLAIMS, json={})).json()["errors"]
    assert {one["code"] for one in missing} == {
        "site_required",
        "limit_required",
        "lease_seconds_required",
    }


async def test_two_who_claim_at_once_never_hold_the_same_comment(house: House) -> None:
    await house.submit()
    await copy_pending(house, 1_000)

    async def claim_all_one_may(client: httpx.AsyncClient) -> list[str]:
        taken: list[str] = []
        while (answer := await try_claim(client, limit=20)).status_code == 200:
            taken += [comment["id"] for comment in answer.json()["comments"]]
        assert answer.status_code == 409
        return taken

    # Each of the two has two windows open, which count together.
    hands = [house.bob, house.alice, house.bob, house.alice]
    taken = await asyncio.gather(*(claim_all_one_may(client) for client in hands))
    assert len(taken[0]) + len(taken[2]) == 200
    assert len(taken[1]) + len(taken[3]) == 200
    assert len({comment for ids in taken for comment in ids}) == 400


async def test_a_token_of_a_lower_role_gives_back_no_claims(house: House) -> None:
    await house.submit()
    [held] = await claim(house.bob)
    made = await house.bob.post("/v1/tokens", json={"name": "reader", "role": "viewer"})
    reader = house.client(authorization=f"Bearer {made.json()['token']}")
    assert (await reader.delete(CLAIMS)).status_code == 204
    assert (await house.look(held)).claim is not None
