"""The receipt tells its author, and nobody else, what became of a comment."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Any

import httpx

from service.submission.schemas import Submitted
from tests.answers import problem_of
from tests.cast import House


async def show(house: House, submitted: Submitted) -> dict[str, Any]:
    answer = await house.dave.get(f"/v1/receipts/{submitted.receipt.token}")
    assert answer.status_code == 200, answer.text
    receipt: dict[str, Any] = answer.json()
    return receipt


async def test_a_pending_comment_can_be_corrected_and_withdrawn_and_nothing_is_decided(
    house: House,
) -> None:
    taken = await house.submit(article="https://blog.example/post/")
    assert await show(house, taken) == {
        "status": "pending",
        "article": "/post",
        "submitted_at": "2026-05-01T12:00:00Z",
        "decided_at": None,
        "reason": None,
        "statement": None,
        "can": ["edit", "withdraw"],
    }


async def test_a_decision_shows_with_its_time(house: House) -> None:
    taken = await house.submit()
    house.clock.advance(hours=2)
    await house.approve(taken.id)
    receipt = await show(house, taken)
    assert (receipt["status"], receipt["decided_at"]) == ("approved", "2026-05-01T14:00:00Z")
    await house.requeue(taken.id)
    receipt = await show(house, taken)
    assert (receipt["status"], receipt["decided_at"]) == ("pending", None)


async def test_a_reason_comes_with_the_sites_statement_and_never_the_note(house: House) -> None:
    await house.set("reason.off_topic=Please write about the article.")
    taken = await house.submit()
    decision = {
        "comment": taken.id,
        "version": 1,
        "action": "reject",
        "reason": "off_topic",
        "note": "He does this every week.",
    }
    answer = await house.bob.post("/v1/moderation/decisions", json={"decisions": [decision]})
    assert answer.json()["results"][0]["outcome"] == "applied"
    receipt = await show(house, taken)
    assert (receipt["status"], receipt["reason"]) == ("rejected", "off_topic")
    assert receipt["statement"] == "Please write about the article."
    page = await house.dave.get(taken.receipt.url)
    assert "Please write about the article." in page.text
    assert "every week" not in page.text + repr(receipt)
    assert "Bob" not in page.text + repr(receipt)


async def test_a_reason_without_a_statement_shows_as_its_code(house: House) -> None:
    taken = await house.submit()
    await house.reject(taken.id, reason="house-rule-7")
    receipt = await show(house, taken)
    assert (receipt["reason"], receipt["statement"]) == ("house-rule-7", None)


async def test_spam_shows_as_rejected_without_a_reason(house: House) -> None:
    # The page shows the text, so that has to be the same.
    rejected, spam = [await house.submit(text="The same.", name=name) for name in ("A", "B")]
    await house.reject(rejected.id)
    await house.spam(spam.id, reason="advertising")
    told = [await show(house, rejected), await show(house, spam)]
    assert told[0] == told[1]
    assert told[0]["status"] == "rejected"
    pages = [(await house.dave.get(one.receipt.url)).text for one in (rejected, spam)]
    assert "spam" not in pages[1]
    assert pages[0].replace(rejected.receipt.token, "") == pages[1].replace(spam.receipt.token, "")


async def test_the_reason_of_an_approval_is_not_a_rejections(house: House) -> None:
    taken = await house.submit()
    await house.reject(taken.id, reason="abusive")
    await house.approve(taken.id)
    receipt = await show(house, taken)
    assert (receipt["status"], receipt["reason"], receipt["statement"]) == ("approved", None, None)


async def test_a_receipt_ends_receipt_days_after_the_submission(house: House) -> None:
    await house.set("receipt_days=30")
    taken = await house.submit()
    house.clock.advance(days=10)
    await house.approve(taken.id)
    house.clock.advance(days=20, seconds=-1)
    assert (await show(house, taken))["status"] == "approved"
    house.clock.advance(seconds=1)
    await refuse(house, taken.receipt.token)


async def test_by_default_it_ends_after_180_days(house: House) -> None:
    taken = await house.submit()
    house.clock.advance(seconds=timedelta(days=180).total_seconds() - 1)
    await show(house, taken)
    house.clock.advance(seconds=1)
    await refuse(house, taken.receipt.token)


async def ask(house: House, token: str) -> list[httpx.Response]:
    """Ask for a receipt in every way there is."""
    return [
        await house.dave.get(f"/v1/receipts/{token}"),
        await house.dave.delete(f"/v1/receipts/{token}"),
        await house.dave.patch(f"/v1/receipts/{token}", json={"text": "Another."}),
        await house.dave.get(f"/receipts/{token}"),
        await house.dave.post(f"/receipts/{token}/withdraw"),
        await house.dave.post(f"/receipts/{token}/edit", data={"text": "Another."}),
    ]


async def refuse(house: House, token: str) -> str:
    """Hold a token to being not found in every way, and give the words in which it is told."""
    async with house.nothing_changes():
        answers = await ask(house, token)
    assert [answer.status_code for answer in answers] == [404] * len(answers), token
    for answer in answers[:3]:
        problem_of(answer, 404)
    return "".join(answer.text for answer in answers)


def spoil(token: str) -> list[str]:
    """Give spellings and forgeries of a token that are not the token."""
    raw = bytearray(urlsafe_b64decode(token + "="))
    forged = []
    for place in (0, 15, 16, 31):
        changed = bytearray(raw)
        changed[place] ^= 1
        forged.append(urlsafe_b64encode(changed).rstrip(b"=").decode())
    # The last character holds two bits that no byte needs: four spellings decode alike.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(token[-1])
    respelt = [token[:-1] + alphabet[last ^ bit] for bit in (1, 2, 3)]
    others = ["x", "%00", token[:-1], token + "A", token + "=", f"%20{token}", token.swapcase()]
    return [*forged, *respelt, *others, "A" * 43, "ü" * 43, "x" * 5_000]


async def test_expired_unknown_malformed_and_otherwise_spelt_are_one_404(house: House) -> None:
    taken = await house.submit()
    words = set()
    for number, wrong in enumerate(spoil(taken.receipt.token)):
        # Each token is asked for in six ways, and a minute has sixty tries from one prefix.
        house.dave = house.client(f"198.51.100.{number}")
        words.add(await refuse(house, wrong))
    house.clock.advance(days=181)
    words.add(await refuse(house, taken.receipt.token))
    assert len(words) == 1


async def test_a_receipt_is_private_and_unlisted(house: House) -> None:
    taken = await house.submit()
    token = taken.receipt.token
    for url in (f"/v1/receipts/{token}", f"/receipts/{token}", "/receipts/x"):
        answer = await house.dave.get(url)
        assert answer.headers["x-robots-tag"] == "noindex", url
        assert answer.headers["cache-control"] == "no-store", url
        assert answer.headers["referrer-policy"] == "no-referrer", url
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], url
        assert answer.headers["x-content-type-options"] == "nosniff", url


async def test_looking_changes_nothing(house: House) -> None:
    taken = await house.submit()
    async with house.nothing_changes():
        for url in (f"/v1/receipts/{taken.receipt.token}", taken.receipt.url):
            for look in (house.dave.get, house.dave.head, house.dave.options):
                assert (await look(url)).is_success
        confirm = await house.dave.get(f"{taken.receipt.url}/withdraw")
        assert confirm.status_code == 405


async def test_an_allowed_origin_may_read_it_and_no_other(house: House) -> None:
    taken = await house.submit()
    url = f"/v1/receipts/{taken.receipt.token}"
    allowed = await house.dave.get(url, headers={"origin": "https://blog.example"})
    foreign = await house.dave.get(url, headers={"origin": "https://evil.example"})
    assert allowed.headers["access-control-allow-origin"] == "https://blog.example"
    assert "access-control-allow-origin" not in foreign.headers
    assert allowed.headers["vary"] == foreign.headers["vary"] == "Origin"


async def test_tries_are_limited_by_prefix(house: House) -> None:
    tries = 0
    while (answer := await house.dave.get("/v1/receipts/x")).status_code == 404:
        tries += 1
    assert tries == 60
    problem_of(answer, 429)
    assert answer.headers["ratelimit-policy"] == '"receipt";q=60;w=60'
    other = await house.client("198.51.100.9").get("/v1/receipts/x")
    assert other.status_code == 404


async def test_what_is_no_receipt_is_kept_from_search_engines_too(house: House) -> None:
    for url in ("/v1/receipts/nothing", "/receipts/nothing"):
        answer = await house.dave.get(url)
        assert answer.status_code == 404
        assert answer.headers["x-robots-tag"] == "noindex", url
