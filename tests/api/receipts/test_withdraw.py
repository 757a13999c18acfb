"""Withdrawal: once, by whoever holds the receipt, and gone from the public at once."""

import asyncio

import pytest

from service.submission.schemas import Submitted
from tests.answers import problem_of
from tests.cast import House

pytestmark = pytest.mark.both

FOREIGN = {"origin": "https://evil.example"}


def url_of(submitted: Submitted) -> str:
    return f"/v1/receipts/{submitted.receipt.token}"


async def test_a_withdrawn_comment_is_gone_from_the_public_at_once(house: House) -> None:
    taken = await house.publish()
    answer = await house.dave.delete(url_of(taken))
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["cache-control"] == "no-store"
    assert (await house.read()).comments == []
    problem_of(await house.dave.get(f"/v1/sites/blog/comments/{taken.id}"), 404)


async def test_the_receipt_then_says_so_and_offers_nothing_more(house: House) -> None:
    taken = await house.submit()
    house.clock.advance(minutes=5)
    await house.withdraw(taken)
    receipt = (await house.dave.get(url_of(taken))).json()
    assert (receipt["status"], receipt["can"]) == ("withdrawn", [])
    assert receipt["decided_at"] == "2026-05-01T12:05:00Z"


async def test_it_is_legal_from_every_status_but_withdrawn(house: House) -> None:
    for decide in (None, house.approve, house.reject, house.spam):
        taken = await house.submit()
        if decide:
            await decide(taken.id)
        await house.withdraw(taken)
        looked_at = await house.look(taken.id)
        assert (looked_at.status, looked_at.version) == ("withdrawn", 3 if decide else 2)


async def test_withdrawing_again_is_409_and_changes_nothing(house: House) -> None:
    taken = await house.submit()
    await house.withdraw(taken)
    async with house.nothing_changes():
        problem_of(await house.dave.delete(url_of(taken)), 409)


async def test_of_two_at_once_one_withdraws(house: House) -> None:
    taken = await house.publish()
    answers = await asyncio.gather(*(house.dave.delete(url_of(taken)) for _ in range(5)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [204, 409, 409, 409, 409]
    assert (await house.look(taken.id)).version == 3


async def test_it_releases_a_claim_and_stands_in_the_log_without_an_actor(house: House) -> None:
    taken = await house.submit()
    claim = {"site": "blog", "limit": 1, "lease_seconds": 60}
    assert (await house.bob.post("/v1/moderation/claims", json=claim)).status_code == 200
    await house.withdraw(taken)
    detail = (await house.bob.get(f"/v1/moderation/comments/{taken.id}")).json()
    assert detail["claim"] is None
    (line,) = detail["log"]
    assert (line["action"], line["from"], line["to"]) == ("withdraw", "pending", "withdrawn")
    assert line["actor"] is None


async def test_a_decision_made_meanwhile_conflicts(house: House) -> None:
    taken = await house.submit()
    await house.withdraw(taken)
    decision = {"comment": taken.id, "version": 1, "action": "approve"}
    answer = await house.bob.post("/v1/moderation/decisions", json={"decisions": [decision]})
    assert answer.json()["results"][0]["outcome"] == "conflict"
    decision["version"] = 2
    answer = await house.bob.post("/v1/moderation/decisions", json={"decisions": [decision]})
    assert answer.json()["results"][0]["outcome"] == "illegal"


async def test_a_page_of_another_origin_may_not_withdraw(house: House) -> None:
    taken = await house.publish()
    async with house.nothing_changes():
        by_api = await house.dave.delete(url_of(taken), headers=FOREIGN)
        by_page = await house.dave.post(f"{taken.receipt.url}/withdraw", headers=FOREIGN)
    assert problem_of(by_api, 403).type == "/problems/origin-not-allowed"
    assert by_page.status_code == 403


async def test_an_absent_null_own_or_allowed_origin_may(house: House) -> None:
    for origin in (None, "null", house.settings.public_url, "https://www.blog.example"):
        taken = await house.submit()
        headers = {"origin": origin} if origin else {}
        assert (await house.dave.delete(url_of(taken), headers=headers)).status_code == 204


async def test_the_page_works_by_plain_form_posts(house: House) -> None:
    taken = await house.publish()
    page = await house.dave.get(taken.receipt.url)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "is published." in page.text
    action = f"/receipts/{taken.receipt.token}/withdraw"
    assert f'<form method="post" action="{action}">' in page.text
    assert "<script" not in page.text

    own = {"origin": house.settings.public_url}
    posted = await house.dave.post(action, data={}, headers=own)
    assert (posted.status_code, posted.headers["location"]) == (
        303,
        f"/receipts/{taken.receipt.token}",
    )
    again = await house.dave.get(posted.headers["location"])
    assert "was withdrawn" in again.text
    assert "<form" not in again.text
    assert (await house.read()).comments == []


async def test_a_second_press_of_the_button_leads_to_the_same_page(house: House) -> None:
    taken = await house.publish()
    action = f"/receipts/{taken.receipt.token}/withdraw"
    await house.dave.post(action)
    async with house.nothing_changes():
        again = await house.dave.post(action)
    assert again.status_code == 303
    assert again.headers["location"] == f"/receipts/{taken.receipt.token}"


async def test_the_page_shows_neither_name_nor_address(house: House) -> None:
    taken = await house.submit(name="Ann Secret", email="ann.secret@mail.example")
    for url in (url_of(taken), taken.receipt.url):
        answer = await house.dave.get(url)
        assert "secret" not in answer.text.casefold()
