"""Traps of anti-spam plug-ins: who fills one is answered like anybody else, and stored as spam."""

import httpx
import pytest

from tests.answers import problem_of
from tests.api.submission.test_form_answers import Inputs
from tests.api.submission.test_wordpress_drop_in import DROP_IN
from tests.cast import SUBMIT, House

REAL = "d7dcf95a06"
ROUTES = pytest.mark.parametrize("url", [SUBMIT, DROP_IN])
SENT = {SUBMIT: 202, DROP_IN: 303}


async def post(house: House, url: str = SUBMIT, **fields: str) -> httpx.Response:
    """Send a form of a saved page with these in its text areas; an empty one is sent as such."""
    person = {"author": "Dave", "email": "dave@mail.example", "comment_post_ID": "17"}
    return await house.dave.post(url, data={**person, **fields})


async def stored(house: House) -> list[tuple[str, str, list[str]]]:
    """Give text, status and codes of the signals of every comment, in their order."""
    rows = sorted((await house.state())["comment"], key=lambda row: str(row["id"]))
    codes = [[one["code"] for one in row["signals"]] for row in rows]
    return [(row["text"], row["status"], code) for row, code in zip(rows, codes, strict=True)]


@ROUTES
async def test_the_text_comes_from_the_field_that_the_site_names(house: House, url: str) -> None:
    await house.set(f"form.text_field={REAL}")
    assert (await post(house, url, **{REAL: "By a person", "comment": ""})).status_code == SENT[url]
    assert (await post(house, url, **{REAL: "Without it"})).status_code == SENT[url]
    assert await stored(house) == [("By a person", "pending", []), ("Without it", "pending", [])]


@ROUTES
async def test_a_filled_trap_is_spam(house: House, url: str) -> None:
    await house.set(f"form.text_field={REAL}")
    forms = {
        "Both": {REAL: "Both", "comment": "Trapped"},
        "Beside the field": {REAL: "", "comment": "Beside the field"},
        "Alone": {"comment": "Alone"},
        "Ours is the real one": {"text": "Ours is the real one", "comment": "Trapped"},
    }
    for fields in forms.values():
        assert (await post(house, url, **fields)).status_code == SENT[url]
    assert await stored(house) == [(text, "spam", ["decoy_filled"]) for text in forms]


async def test_in_json_too(house: House) -> None:
    await house.set(f"form.text_field={REAL}")
    fields = {"name": "Dave", "email": "dave@mail.example", "article": "17"}
    await house.dave.post(SUBMIT, json={**fields, REAL: "Text", "comment": "Trapped"})
    await house.dave.post(SUBMIT, json={**fields, "text": "Just text"})
    assert await stored(house) == [
        ("Text", "spam", ["decoy_filled"]),
        ("Just text", "pending", []),
    ]


async def test_without_the_setting_there_is_no_trap(house: House) -> None:
    await post(house, **{REAL: "Ignored", "comment": "The text"})
    assert await stored(house) == [("The text", "pending", [])]


async def test_pages_without_the_trap_are_told_by_the_field_that_they_lack(house: House) -> None:
    await house.set(f"form.text_field={REAL},comment")
    await post(house, comment="From a page without the plug-in")
    await post(house, **{REAL: "", "comment": "By a robot that fills what it knows"})
    await post(house, **{REAL: "By a person", "comment": ""})
    assert [status for _, status, _ in await stored(house)] == ["pending", "spam", "pending"]


async def test_each_page_may_have_a_field_of_its_own(house: House) -> None:
    await house.set("form.text_field=a1b2c3d4e5, f6a7b8c9d0")
    await post(house, a1b2c3d4e5="One", comment="")
    await post(house, f6a7b8c9d0="Two", comment="")
    assert [text for text, *_ in await stored(house)] == ["One", "Two"]


async def test_a_robot_is_answered_like_anybody_else(house: House) -> None:
    await house.set(f"form.text_field={REAL}")
    honest = (await post(house, **{REAL: "Honest", "comment": ""})).json()
    caught = (await post(house, **{REAL: "Caught", "comment": "x"})).json()
    assert caught["status"] == honest["status"] == "pending"
    assert caught.keys() == honest.keys()
    async with house.nothing_changes():
        problem_of(await post(house, **{REAL: "Caught", "comment": "x"}), 409)
        problem_of(await post(house, **{REAL: " ", "comment": ""}), 422)
        problem_of(await post(house, **{REAL: "x" * 10_001, "comment": "x"}), 422)
    await house.set("limit.ip=1/day")
    await post(house, **{REAL: "Caught again", "comment": "x"})
    problem_of(await post(house, **{REAL: "And again", "comment": "x"}), 429)


async def test_it_is_counted_as_spam_and_never_waits(house: House) -> None:
    await house.set(f"form.text_field={REAL}")
    caught = (await post(house, **{REAL: "Caught", "comment": "x"})).json()
    looked = await house.look(caught["id"])
    assert (looked.status, looked.version, looked.author.spam) == ("spam", 1, 1)
    queue = (await house.bob.get("/v1/moderation/comments")).json()
    assert queue["comments"] == []
    assert (queue["counts"].get("pending", 0), queue["counts"]["spam"]) == (0, 1)
    claimed = {"site": "blog", "limit": 1, "lease_seconds": 60, "order": "oldest"}
    held = await house.bob.post("/v1/moderation/claims", json=claimed)
    assert held.json()["comments"] == []
    receipt = (await house.dave.get(f"/v1/receipts/{caught['receipt']['token']}")).json()
    assert (receipt["status"], receipt["reason"], receipt["statement"]) == ("rejected", None, None)


async def test_a_moderator_can_approve_it_after_all(house: House) -> None:
    await house.set(f"form.text_field={REAL}")
    caught = (await post(house, **{REAL: "Caught", "comment": "x"})).json()
    await house.approve(caught["id"])
    assert [one.id for one in (await house.read("17")).comments] == [caught["id"]]
    looked = await house.look(caught["id"])
    assert (looked.author.approved, looked.author.spam) == (1, 0)


async def test_a_refused_robot_is_still_one_when_it_sends_the_page_again(house: House) -> None:
    await house.set(f"form.text_field={REAL}")
    refused = await post(house, DROP_IN, **{REAL: "Caught", "comment": "x", "email": "no"})
    page = Inputs(refused.text)
    assert page.values["text"] == "Caught"
    again = {**page.values, "email": "dave@mail.example"}
    assert (await house.dave.post(DROP_IN, data=again)).status_code == 303
    assert await stored(house) == [("Caught", "spam", ["decoy_filled"])]


async def test_a_refused_person_is_still_none(house: House) -> None:
    await house.set(f"form.text_field={REAL}")
    refused = await post(house, DROP_IN, **{REAL: "Honest", "comment": "", "email": "no"})
    again = {**Inputs(refused.text).values, "email": "dave@mail.example"}
    assert (await house.dave.post(DROP_IN, data=again)).status_code == 303
    assert await stored(house) == [("Honest", "pending", [])]
