"""When a comment cannot be corrected: by its text, token or status, the time, or where one comes from."""

from typing import Any

import httpx
import pytest

from service.app import create_app
from service.submission.schemas import Submitted
from tests.answers import codes_of, problem_of
from tests.cast import PUBLIC_URL, House
from tests.in_process import alive

FOREIGN = {"origin": "https://evil.example"}


def url_of(submitted: Submitted) -> str:
    return f"/v1/receipts/{submitted.receipt.token}"


async def try_edit(house: House, submitted: Submitted, text: object) -> httpx.Response:
    return await house.dave.patch(url_of(submitted), json={"text": text})


async def test_the_text_is_held_to_the_rules_of_a_submission(house: House) -> None:
    await house.set("max_text_chars=10")
    taken = await house.submit(text="Hello.")
    codes = {
        "12345678901": "text_too_long",
        "\u200b \u2060": "text_required",
        "": "text_required",
        "a\x00": "text_invalid",
    }
    async with house.nothing_changes():
        for text, code in codes.items():
            problem = problem_of(await try_edit(house, taken, text), 422)
            assert codes_of(problem) == {"#/text": code}, text
        for wrong in (5, ["x"], {"text": "x"}, True):
            problem = problem_of(await try_edit(house, taken, wrong), 422)
            assert codes_of(problem) == {"#/text": "text_invalid"}
        problem = problem_of(await try_edit(house, taken, None), 422)
        assert codes_of(problem) == {"#/text": "text_required"}
    await try_edit(house, taken, "\n\ne\u0301\u200b123456789 ")
    assert (await house.look(taken.id)).text == "\u00e9123456789"


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b'{"text": "x"}', "text/plain", 415),
        (b"text=x", "application/x-www-form-urlencoded", 415),
        (b'{"text": ', "application/json", 400),
        (b'{"text": "\xff"}', "application/json", 400),
        (b"[]", "application/json", 422),
        (b'{"text": "\\ud800"}', "application/json", 422),
    ],
)
async def test_only_a_json_object_is_taken(house: House, content: bytes, kind: str, status: int) -> None:
    taken = await house.submit()
    async with house.nothing_changes():
        headers = {"content-type": kind}
        answer = await house.dave.patch(url_of(taken), content=content, headers=headers)
    problem_of(answer, status)


async def test_a_wrong_token_is_404_whatever_comes_with_it(house: House) -> None:
    await house.submit()
    bodies = {b"{": "application/json", b"x": "text/plain", b'{"text": ""}': "application/json"}
    told = {
        (await house.dave.patch("/v1/receipts/x", content=body, headers={"content-type": kind})).content
        for body, kind in bodies.items()
    }
    assert len(told) == 1
    assert b"/problems/not-found" in told.pop()


async def test_a_comment_takes_ten_edits_an_hour(house: House) -> None:
    await house.set("edit_window_seconds=7200")
    taken, other = await house.submit(), await house.submit()
    for number in range(10):
        problem_of(await try_edit(house, taken, ""), 422)
        assert (await try_edit(house, taken, f"Number {number}.")).status_code == 200
    async with house.nothing_changes():
        refused = await try_edit(house, taken, "Number ten.")
    problem_of(refused, 429)
    assert refused.headers["ratelimit-policy"] == '"edit";q=10;w=3600'
    assert refused.headers["retry-after"] == "3600"
    # It is the comment's, whoever sends from wherever, and no other one's.
    elsewhere = await house.client("198.51.100.1").patch(url_of(taken), json={"text": "Ten."})
    problem_of(elsewhere, 429)
    assert (await try_edit(house, other, "Another one.")).status_code == 200
    house.clock.advance(seconds=3_599)
    problem_of(await try_edit(house, taken, "Number ten."), 429)
    house.clock.advance(seconds=1)
    assert (await try_edit(house, taken, "Number ten.")).status_code == 200


async def test_within_no_hour_it_takes_more_than_ten(house: House) -> None:
    await house.set("edit_window_seconds=14400")
    taken = await house.submit()
    minutes = []
    for minute in range(0, 180, 5):
        for number in range(3):
            answer = await try_edit(house, taken, f"Number {minute}.{number}.")
            minutes += [minute] if answer.status_code == 200 else []
        house.clock.advance(seconds=300)
    assert len(minutes) == 30
    assert all(later - first >= 60 for first, later in zip(minutes, minutes[10:], strict=False))


async def test_those_that_another_process_took_count(house: House) -> None:
    """As where Redis is lost, or a process began anew: limiters know nothing of one another then."""
    taken = await house.submit()
    # The framework and httpx spell the type of an ASGI app differently.
    other: Any = create_app(house.settings, clock=house.clock, now_us=house.clock.microseconds)
    for number in range(10):
        assert (await try_edit(house, taken, f"Number {number}.")).status_code == 200
    async with alive(other), house.nothing_changes():
        transport = httpx.ASGITransport(other, client=("198.51.100.1", 1234))
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
            refused = await client.patch(url_of(taken), json={"text": "Number ten."})
    problem_of(refused, 429)


async def test_it_is_possible_within_the_window_and_no_longer(house: House) -> None:
    await house.set("edit_window_seconds=60")
    taken, other = await house.submit(), await house.publish()
    house.clock.advance(seconds=59)
    assert "edit" in (await try_edit(house, taken, "In time.")).json()["can"]
    house.clock.advance(seconds=1)
    assert (await house.dave.get(url_of(taken))).json()["can"] == ["withdraw"]
    async with house.nothing_changes():
        for late in (taken, other):
            problem = problem_of(await try_edit(house, late, "Too late."), 409)
            assert problem.type == "/problems/edit-window-closed"


async def test_a_window_of_nothing_lets_nobody_correct(house: House) -> None:
    await house.set("edit_window_seconds=0")
    taken = await house.submit()
    assert (await house.dave.get(url_of(taken))).json()["can"] == ["withdraw"]
    problem_of(await try_edit(house, taken, "Better."), 409)


async def test_what_is_neither_pending_nor_approved_cannot_be_corrected(house: House) -> None:
    rejected, spam, withdrawn = [await house.submit() for _ in range(3)]
    await house.reject(rejected.id)
    await house.spam(spam.id)
    await house.withdraw(withdrawn)
    async with house.nothing_changes():
        answers = [await try_edit(house, one, "Better.") for one in (rejected, spam, withdrawn)]
    # Spam must look rejected here too.
    assert len({answer.content for answer in answers}) == 1
    assert problem_of(answers[0], 409).type == "/problems/conflict"
    for one in (rejected, spam):
        assert (await house.dave.get(url_of(one))).json()["can"] == ["withdraw"]


async def test_what_was_sent_already_cannot_be_had_by_an_edit(house: House) -> None:
    await house.submit(text="Taken.")
    pending, published = await house.submit(), await house.publish()
    async with house.nothing_changes():
        for one in (pending, published):
            problem = problem_of(await try_edit(house, one, "Taken."), 409)
            assert problem.type == "/problems/duplicate-comment"


async def test_a_wrong_token_is_404_wherever_one_comes_from_and_costs_once(house: House) -> None:
    form = {"text": "Mine."}
    known = await house.submit()
    for path in ("/v1/receipts/x", "/receipts/x/edit", "/receipts/x/withdraw"):
        assert (await house.dave.post(path, data=form, headers=FOREIGN)).status_code in {404, 405}
    for method in ("PATCH", "DELETE"):
        answer = await house.dave.request(method, "/v1/receipts/x", json=form, headers=FOREIGN)
        assert problem_of(answer, 404).type == "/problems/not-found"
    # Four of them were charged, each once: sixty less four are left.
    wrong = [(await house.dave.get("/v1/receipts/x")).status_code for _ in range(57)]
    assert wrong == [404] * 56 + [429]
    # Who is refused for the origin is charged for that alone, ten a minute.
    refused = [(await house.dave.delete(url_of(known), headers=FOREIGN)).status_code for _ in range(11)]
    assert refused == [403] * 10 + [429]


async def test_a_page_of_another_origin_may_not_correct(house: House) -> None:
    taken = await house.submit()
    async with house.nothing_changes():
        by_api = await house.dave.patch(url_of(taken), json={"text": "Mine."}, headers=FOREIGN)
        form = {"text": "Mine."}
        by_page = await house.dave.post(f"{taken.receipt.url}/edit", data=form, headers=FOREIGN)
    assert problem_of(by_api, 403).type == "/problems/origin-not-allowed"
    assert by_page.status_code == 403


async def test_an_allowed_origin_may_and_reads_the_answer(house: House) -> None:
    taken = await house.submit()
    asked = {
        "origin": "https://blog.example",
        "access-control-request-method": "PATCH",
        "access-control-request-headers": "content-type",
    }
    preflight = await house.dave.options(url_of(taken), headers=asked)
    assert "PATCH" in preflight.headers["access-control-allow-methods"]
    assert "Content-Type" in preflight.headers["access-control-allow-headers"]
    for origin in ("https://blog.example", house.settings.public_url, "null"):
        headers = {"origin": origin}
        answer = await house.dave.patch(url_of(taken), json={"text": origin}, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["x-robots-tag"] == "noindex"
        assert answer.headers["cache-control"] == "no-store"
    answer = await house.dave.patch(url_of(taken), json={"text": "x"}, headers=asked)
    assert answer.headers["access-control-allow-origin"] == "https://blog.example"


async def test_tries_cost_what_any_use_of_a_receipt_costs(house: House) -> None:
    statuses = [(await house.dave.patch("/v1/receipts/x", json={"text": "x"})).status_code for _ in range(61)]
    assert statuses == [404] * 60 + [429]
    taken = await house.submit()
    problem_of(await try_edit(house, taken, "Better."), 429)
