"""A text in a field that nobody has named: its writer gets it back, and whoever runs the site hears of it."""

import logging
import re
from typing import Any

import httpx
import pytest

from tests.api.submission.test_form_answers import Inputs
from tests.cast import PUBLIC_URL, House
from tests.scraping import scrape

DROP_IN = "/sites/blog/wp-comments-post.php"
TEXT = "Written into a field <b>of</b> a plug-in's & nobody's.\nTwo lines."
FORM = {"author": "Dave", "email": "dave@mail.example", "comment_post_ID": "17"}
EVENT = "a form had no text where one was looked for, and a long field of another name"


async def post(house: House, **fields: str) -> httpx.Response:
    return await house.dave.post(DROP_IN, data={**FORM, **fields})


def told(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    records = [one.msg for one in caplog.records if isinstance(one.msg, dict)]
    return [one for one in records if one["event"].startswith(EVENT)]


async def count(house: House) -> float:
    found = re.search(r"^greenroom_texts_elsewhere_total (.+)$", await scrape(house), re.MULTILINE)
    assert found
    return float(found[1])


async def test_it_is_there_to_be_copied_and_stays_until_it_is_sent(house: House) -> None:
    refused = await post(house, w3x=TEXT, rating="5")
    assert refused.status_code == 422
    page = Inputs(refused.text)
    assert page.values["w3x"] == TEXT
    assert page.values["text"] == ""
    assert "so that you can copy it" in refused.text
    again = await house.dave.post(DROP_IN, data={**page.values, "email": "no", "text": "Copied."})
    assert Inputs(again.text).values["w3x"] == TEXT
    values = {**Inputs(again.text).values, "email": FORM["email"]}
    assert (await house.dave.post(DROP_IN, data=values)).status_code == 303
    assert (await house.state())["comment"][0]["text"] == "Copied."


async def test_whatever_is_wrong_a_long_field_comes_back(house: House) -> None:
    refused = await post(house, comment="The text.", cons=TEXT, rating="5", email="no")
    page = Inputs(refused.text).values
    assert (page["cons"], page["text"]) == (TEXT, "The text.")
    # One that is short is not somebody's words, where the text is there.
    assert "rating" not in page
    foreign = {"origin": "https://evil.example"}
    final = await house.dave.post(DROP_IN, data={**FORM, "w3x": TEXT}, headers=foreign)
    assert (final.status_code, Inputs(final.text).values["w3x"]) == (403, TEXT)


@pytest.mark.parametrize("text", ["Great!", "很好", "ok"])
async def test_a_short_text_comes_back_where_there_is_no_other(house: House, text: str) -> None:
    assert Inputs((await post(house, w3x=text)).text).values["w3x"] == text


async def test_tokens_do_not_come_back(house: House) -> None:
    token = "03AGdBq" * 100
    names = (
        "g-recaptcha-response",
        "h-captcha-response",
        "akismet_comment_nonce",
        "ak_x",
        "csrf_token",
    )
    refused = await post(house, **dict.fromkeys(names, token))
    assert token not in refused.text
    assert await count(house) == 0


@pytest.mark.parametrize(
    "name", ["comment_token", "comment-hp-1", "message-nonce", "ak_text", "my_captcha_text"]
)
async def test_words_come_back_whatever_their_field_is_called(house: House, name: str) -> None:
    refused = await post(house, **{name: TEXT})
    assert Inputs(refused.text).values[name] == TEXT
    # Who runs the site cannot name such a field.
    assert await count(house) == 0
    refused = await post(house, **{name: "很好的文章。" * 10, "comment": "The text.", "email": "no"})
    assert "很好的文章。" in refused.text


async def test_what_our_own_form_asks_beside_the_text_is_none(house: House) -> None:
    refused = await post(house, consent="yes")
    assert "stranger-" not in refused.text
    assert await count(house) == 0


async def test_it_is_bounded_in_number_and_length(house: House) -> None:
    many = {f"field{number}": f"{number} and " + "x" * number for number in range(100)}
    page = Inputs((await post(house, **many)).text).values
    assert [name for name in page if name.startswith("field")] == ["field99", "field98", "field97"]
    long = Inputs((await post(house, comment="y" * 131_000, one="x " * 99, two="z" * 99)).text).values
    assert (len(long["one"]), "two" in long) == (50, False)


async def test_no_more_fields_are_looked_at_than_a_form_may_have(house: House) -> None:
    fields = {f"x{number}": "y" for number in range(50_000)}
    answer = await house.dave.post(DROP_IN, json={**fields, "late": TEXT})
    assert answer.status_code == 422
    assert "late" not in Inputs(answer.text).values
    assert "x0" in Inputs(answer.text).values


@pytest.mark.parametrize("furnished", ["sqlite"], indirect=True)
async def test_the_owner_is_told_of_the_field_and_never_of_what_was_typed(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    await post(house, w3x=TEXT)
    await post(house, **{f"{TEXT} {FORM['email']}": TEXT})
    # What is no text, and a form that has one, is nothing to be told of.
    await post(house, rating="5")
    await post(house, comment="The text.", cons=TEXT, email="no")
    await post(house, ak_hp_textarea=TEXT)
    assert [(one["site"], one["field"]) for one in told(caplog)] == [
        ("blog", "w3x"),
        ("blog", "(no usual name)"),
    ]
    assert "Written" not in str(told(caplog))
    assert await count(house) == 2


async def test_the_name_of_a_field_does_not_break_out_of_the_page(house: House) -> None:
    evil = '"><script>alert(1)</script>'
    page = (await post(house, **{evil: TEXT})).text
    assert "<script" not in page
    assert f"{PUBLIC_URL}/static" in page
