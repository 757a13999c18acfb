"""An Idempotency-Key of decisions answers again only as far as its sender may still decide."""

from typing import Any

import httpx
import pytest

from tests.answers import problem_of
from tests.api.accounts.test_members import MEMBERS, give, ids
from tests.api.moderation.test_decide_comments import decision, post
from tests.cast import House, email_of

pytestmark = pytest.mark.both

REPLAYED = "idempotency-replayed"


def outcomes(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


async def test_who_has_left_the_site_is_told_nothing_of_it(house: House) -> None:
    comment = await house.submit()
    first = await post(house.bob, decision(comment.id), key="k")
    [applied] = outcomes(first)
    assert applied["outcome"] == "applied"
    bob = (await ids(house))["Bob"]
    assert (await house.alice.delete(f"{MEMBERS}/{bob}")).status_code == 204
    async with house.nothing_changes():
        again = await post(house.bob, decision(comment.id), key="k")
    assert outcomes(again) == [
        {"comment": comment.id, "outcome": "not_found", "status": None, "version": None}
    ]
    assert REPLAYED not in again.headers
    # Nothing was lost by that: with the role the answer is back.
    again_one = {"email": email_of("bob"), "name": "Bob", "role": "moderator"}
    assert (await house.alice.post(MEMBERS, json=again_one)).status_code == 201
    back = await post(house.bob, decision(comment.id), key="k")
    assert (outcomes(back), back.headers[REPLAYED]) == ([applied], "true")


async def test_whose_role_is_too_low_by_now_is_refused(house: House) -> None:
    comment = await house.submit()
    await post(house.bob, decision(comment.id), key="k")
    assert await give(house.alice, (await ids(house))["Bob"], "viewer") == 204
    async with house.nothing_changes():
        refused = await post(house.bob, decision(comment.id), key="k")
    assert problem_of(refused, 403).type == "/problems/not-allowed"


async def test_a_token_that_reaches_less_replays_no_more_than_it_reaches(house: House) -> None:
    of_elsewhere = await house.submit(site="elsewhere")
    members = {"email": "alice@moderators.example", "name": "Alice", "role": "moderator"}
    assert (await house.charlie.post("/v1/sites/elsewhere/members", json=members)).status_code == 201
    here = await house.submit()
    both = [decision(here.id), decision(of_elsewhere.id)]
    assert [one["outcome"] for one in outcomes(await post(house.alice, *both, key="k"))] == [
        "applied",
        "applied",
    ]
    made = (await house.alice.post("/v1/tokens", json={"name": "x", "site": "blog"})).json()
    narrow = house.client(authorization=f"Bearer {made['token']}")
    again = outcomes(await post(narrow, *both, key="k"))
    assert [one["outcome"] for one in again] == ["applied", "not_found"]
