"""One Idempotency-Key stores one comment, however often and however closely it is sent."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from service.http.reading import KEEP_KEYS
from tests.answers import codes_of, problem_of
from tests.cast import SUBMIT, House

pytestmark = pytest.mark.both

KEY = {"idempotency-key": "a-key-of-daves"}
FIELDS = {"text": "Sent again and again."}


async def send(house: House, key: str = "a-key-of-daves", **fields: Any) -> httpx.Response:
    return await house.try_submit(headers={"idempotency-key": key}, **{**FIELDS, **fields})


async def test_the_same_key_and_fields_get_the_first_answer_again(house: House) -> None:
    first = await send(house)
    house.clock.advance(hours=1)
    async with house.nothing_changes():
        again = await send(house)
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"


async def test_after_a_day_the_key_is_as_good_as_new_though_nobody_has_tidied_up(
    house: House,
) -> None:
    first = await send(house)
    house.clock.advance(hours=24)
    assert (await send(house)).json() == first.json()
    house.clock.advance(seconds=1)
    # The comment is still there, and this is another request.
    problem_of(await send(house), 409)
    second = await send(house, text="Something else.")
    assert second.status_code == 202
    assert "idempotency-replayed" not in second.headers
    again = await send(house, text="Something else.")
    assert (again.json(), again.headers["idempotency-replayed"]) == (second.json(), "true")
    house.clock.advance(days=1, seconds=1)
    answers = await asyncio.gather(*(send(house, text="At once.") for _ in range(8)))
    assert {answer.json()["id"] for answer in answers} - {second.json()["id"]} != set()
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await house.state())["idempotency_key"]) == 1


async def test_it_is_the_normalised_fields_that_have_to_be_the_same(house: House) -> None:
    fields = house.comment(text="é", url="https://dave.example/")
    first = await house.dave.post(SUBMIT, json=fields, headers=KEY)
    spelt = {
        "article": "https://blog.example/post/#top",
        "text": "\n \ne\u0301\r\n",
        "utm": "ignored",
    }
    as_form = await house.dave.post(SUBMIT, data={**fields, **spelt}, headers=KEY)
    assert as_form.json() == first.json()
    assert as_form.headers["idempotency-replayed"] == "true"


async def test_another_body_under_a_used_key_is_422_and_stores_nothing(house: House) -> None:
    await house.publish(article="/post")
    parent = (await house.read()).comments[0].id
    await send(house)
    others = {
        "name": "Ann",
        "email": "ann@mail.example",
        "text": "Other",
        "url": "https://x.example",
    }
    for field, value in {**others, "article": "/other", "parent": parent}.items():
        async with house.nothing_changes():
            answer = await send(house, **{field: value})
        assert problem_of(answer, 422).type == "/problems/idempotency-key-reused", field


async def test_the_receipt_of_a_replay_is_that_of_the_first(house: House) -> None:
    first, again = await send(house), await send(house)
    token = again.json()["receipt"]["token"]
    assert token == first.json()["receipt"]["token"]
    assert (await house.dave.get(f"/v1/receipts/{token}")).json()["status"] == "pending"


async def test_a_replay_says_pending_as_the_first_answer_did(house: House) -> None:
    first = await send(house)
    await house.approve(first.json()["id"])
    assert (await send(house)).json() == first.json()


async def test_a_replay_costs_no_limit(house: House) -> None:
    await house.set("limit.ip=2/day", "limit.address=2/day", "limit.article=2/day")
    await send(house)
    for _ in range(5):
        assert (await send(house)).headers["idempotency-replayed"] == "true"
    await house.submit()
    problem_of(await house.try_submit(), 429)
    # What was stored under the key is told even to those who may send nothing more.
    assert (await send(house)).status_code == 202


async def test_the_same_key_sent_fifty_times_at_once_stores_one_comment(house: House) -> None:
    before = await house.state()
    answers = await asyncio.gather(*(send(house) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({json.dumps(answer.json()) for answer in answers}) == 1
    replayed = [answer for answer in answers if "idempotency-replayed" in answer.headers]
    assert len(replayed) == 49
    after = await house.state()
    assert len(after["comment"]) == len(before["comment"]) + 1


async def test_keys_of_two_sites_have_nothing_to_do_with_each_other(house: House) -> None:
    here = await send(house)
    there = await house.try_submit(site="elsewhere", headers=KEY, name="Ann")
    assert there.status_code == 202
    assert there.json()["id"] != here.json()["id"]


async def test_a_key_has_1_to_255_characters(house: House) -> None:
    assert (await send(house, "k" * 255)).status_code == 202
    for key, code in {"": "invalid", "k" * 256: "too_long"}.items():
        async with house.nothing_changes():
            answer = await send(house, key, text="Another")
        assert codes_of(problem_of(answer, 422)) == {"Idempotency-Key": f"idempotency_key_{code}"}


async def test_a_refused_submission_leaves_its_key_free(house: House) -> None:
    problem_of(await send(house, email="nobody"), 422)
    answer = await send(house)
    assert answer.status_code == 202
    assert "idempotency-replayed" not in answer.headers


async def test_the_key_is_kept_as_keyed_hashes_and_never_with_body_or_answer(house: House) -> None:
    await send(house, text="Nobody shall keep this twice")
    (row,) = (await house.state())["idempotency_key"]
    stored: dict[str, Any] = dict(row)
    assert len(stored.pop("key_hash")) == len(stored.pop("fields_hash")) == 32
    assert sorted(stored) == ["comment_id", "created_at", "site_id", "status"]
    assert KEEP_KEYS.total_seconds() == 24 * 3_600
