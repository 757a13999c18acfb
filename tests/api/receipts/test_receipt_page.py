"""The receipt as a page: what became of the comment, its text, and a form that corrects it."""

import re
from typing import Any

import html5lib
import httpx
import pytest
from sqlmodel import col, delete, update

from service.comments.tables import Comment
from service.sites.tables import SiteOrigin
from service.submission.schemas import Submitted
from service.text.languages import LANGUAGES, Language, direction, read_words
from tests.cast import House

WORDS = read_words("en")


def page_of(submitted: Submitted) -> str:
    return f"/receipts/{submitted.receipt.token}"


async def look(house: House, submitted: Submitted, status: int = 200) -> str:
    answer = await house.dave.get(page_of(submitted))
    assert answer.status_code == status
    return answer.text


async def send(house: House, submitted: Submitted, text: str) -> httpx.Response:
    return await house.dave.post(f"{page_of(submitted)}/edit", data={"text": text})


def elements(page: str, tag: str) -> list[Any]:
    return list(html5lib.parse(page, namespaceHTMLElements=False).iter(tag))


def typed_in(page: str) -> str | None:
    """Give what the form of the page holds, if there is one."""
    found = elements(page, "textarea")
    return "".join(found[0].itertext()) if found else None


async def test_it_shows_the_text_and_until_when_it_can_be_corrected(house: House) -> None:
    taken = await house.submit(text="*Hello*\n\n<b>you</b>")
    page = await look(house, taken)
    assert "<em>Hello</em>" in page
    assert typed_in(page) == "*Hello*\n\n<b>you</b>"
    assert WORDS["held"] in page
    assert "It can be corrected until 2026-05-01 12:15:00 UTC." in page
    house.clock.advance(minutes=15)
    late = await look(house, taken)
    assert typed_in(late) is None
    assert "<em>Hello</em>" in late


async def test_its_form_corrects_the_comment_and_leads_back_to_the_page(house: House) -> None:
    taken = await house.submit()
    own = {"origin": house.settings.public_url}
    action = f"{page_of(taken)}/edit"
    assert f'action="{action}"' in await look(house, taken)
    posted = await house.dave.post(action, data={"text": "Better."}, headers=own)
    assert (posted.status_code, posted.headers["location"]) == (303, page_of(taken))
    assert typed_in(await look(house, taken)) == "Better."
    assert (await house.look(taken.id)).text == "Better."


async def test_a_line_feed_at_the_beginning_and_markup_survive_the_form(house: House) -> None:
    text = '</textarea><script>alert(1)</script>\n\n&amp; "quotes" ü'
    taken = await house.submit(text=text)
    page = await look(house, taken)
    assert typed_in(page) == text
    assert elements(page, "script") == []


async def test_it_tells_of_an_edit_that_waits_and_shows_both_texts(house: House) -> None:
    taken = await house.publish(text="The *old* text.")
    assert WORDS["edit_waits"] not in await look(house, taken)
    await send(house, taken, "The *new* text.")
    page = await look(house, taken)
    assert WORDS["edit_waits"] in page
    assert "The <em>old</em> text." in page
    assert "The <em>new</em> text." in page
    assert typed_in(page) == "The *new* text."
    await house.approve(taken.id)
    page = await look(house, taken)
    assert WORDS["edit_waits"] not in page
    assert "old" not in page


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "field_required"),
        ("\u200b", "field_required"),
        ("x" * 10_001, "text_too_long"),
        ("a\x00", "field_invalid"),
    ],
)
async def test_what_is_wrong_comes_back_beside_what_was_typed(house: House, text: str, told: str) -> None:
    taken = await house.submit()
    async with house.nothing_changes():
        answer = await send(house, taken, text)
    assert answer.status_code == 422
    assert answer.headers["cache-control"] == "no-store"
    words = WORDS[told].replace("{limit}", "10,000")
    [field] = elements(answer.text, "textarea")
    assert field.attrib["aria-invalid"] == "true"
    described = {one.attrib["id"]: one for one in elements(answer.text, "span") if "id" in one.attrib}
    notes = field.attrib["aria-describedby"].split()
    assert notes == ["edit-until", "text-error"]
    assert "".join(described["text-error"].itertext()) == words
    [summary] = [one for one in elements(answer.text, "div") if one.attrib.get("role") == "alert"]
    [link] = summary.iter("a")
    assert (link.attrib["href"], "".join(link.itertext())) == ("#text", words)
    if len(text) > 2:
        assert typed_in(answer.text) == text


async def test_a_409_keeps_what_was_typed(house: House) -> None:
    await house.submit(text="Taken.")
    mine, late, gone = [await house.submit() for _ in range(3)]
    duplicate = await send(house, mine, "Taken.")
    await house.reject(gone.id)
    rejected = await send(house, gone, "What I wrote.")
    house.clock.advance(hours=1)
    closed = await send(house, late, "What I wrote.")
    assert [one.status_code for one in (duplicate, rejected, closed)] == [409] * 3
    assert WORDS["duplicate"] in duplicate.text
    assert WORDS["edit_window_closed"] in closed.text
    typed = [typed_in(one.text) for one in (duplicate, rejected, closed)]
    assert typed == ["Taken.", "What I wrote.", "What I wrote."]
    assert 'aria-invalid="true"' not in closed.text


async def test_a_429_keeps_what_was_typed_with_a_token_that_we_gave(house: House) -> None:
    taken = await house.submit(text="Old.")
    for _ in range(60):
        await house.dave.get("/receipts/x")
    async with house.nothing_changes():
        right = await send(house, taken, "What I wrote.")
        wrong = await house.dave.post("/receipts/wrong/edit", data={"text": "What I wrote."})
        long = await send(house, taken, "&" * 1_000_000)
    assert right.status_code == wrong.status_code == long.status_code == 429
    assert right.headers["retry-after"]
    assert typed_in(right.text) == "What I wrote."
    assert "What I wrote." not in wrong.text
    assert len(long.content) < 800_000


async def test_a_long_page_is_sent_back_ten_times_a_minute(house: House) -> None:
    """A few bytes would else have as much sent as often as somebody likes who is over the limit."""
    await house.set("max_text_chars=65525")
    taken = await house.submit(text="&" * 20_000)
    for _ in range(60):
        await house.dave.get("/receipts/x")
    sizes = [len((await send(house, taken, "x")).content) for _ in range(12)]
    assert min(sizes[:10]) > 20_000
    assert max(sizes[10:]) < 5_000


async def test_the_eleventh_edit_within_an_hour_keeps_what_was_typed(house: House) -> None:
    taken = await house.submit()
    for number in range(10):
        assert (await send(house, taken, f"Number {number}.")).status_code == 303
    async with house.nothing_changes():
        answer = await send(house, taken, "Number ten.")
    assert answer.status_code == 429
    assert answer.headers["ratelimit"].startswith('"edit";r=0;t=')
    assert typed_in(answer.text) == "Number ten."
    assert "You can send it again from" in answer.text


URLENCODED = "application/x-www-form-urlencoded"
MIB = 1_048_576


@pytest.mark.parametrize(
    ("content", "kind", "status", "kept"),
    [
        (b"text=new+%FF", URLENCODED, 400, "new \ufffd"),
        (b"text=new" + b"&x=" * 300, URLENCODED, 400, "new"),
        (b'{"text": "new"}', "application/json", 415, "new"),
        (b"text=" + b"n" * MIB, URLENCODED, 413, "n" * 131_051),
        # Nothing of these can be made out.
        (b"new", "text/plain", 415, None),
        (b"x=" + b"n" * MIB, URLENCODED, 413, None),
        (b"new", "multipart/form-data", 400, None),
    ],
)
async def test_what_cannot_be_read_is_refused_as_a_page_with_what_can_be_made_out(
    house: House, content: bytes, kind: str, status: int, kept: str | None
) -> None:
    taken = await house.submit(text="Stored.")
    async with house.nothing_changes():
        answer = await house.dave.post(
            f"{page_of(taken)}/edit", content=content, headers={"content-type": kind}
        )
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert typed_in(answer.text) == (kept or "Stored.")
    # Nor is it said of what is not there.
    assert (WORDS["failed"] in answer.text) == (kept is not None)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_it_speaks_the_language_of_the_browser_and_else_of_the_site(
    house: House, language: Language
) -> None:
    taken = await house.submit()
    words = read_words(language)
    house.dave.headers["accept-language"] = f"tlh, {language};q=0.5"
    page = await look(house, taken)
    await house.set(f"language={language}")
    del house.dave.headers["accept-language"]
    assert await look(house, taken) == page
    assert f'<html lang="{language}" dir="{direction(language)}">' in page
    for key in ("held", "your_text", "edit", "save", "withdraw", "sent_at"):
        assert words[key] in page
    refused = (await send(house, taken, "")).text
    assert f'<html lang="{language}"' in refused
    assert words["field_required"] in refused
    assert not re.search(r"\{\w+\}", page + refused)


async def test_it_has_one_heading_labels_and_no_script(house: House) -> None:
    page = await look(house, await house.submit())
    assert len(elements(page, "h1")) == 1
    [label], [field] = elements(page, "label"), elements(page, "textarea")
    assert label.attrib["for"] == field.attrib["id"]
    assert field.attrib["aria-describedby"] == "edit-until"
    assert elements(page, "script") == []


async def test_looking_changes_nothing_and_an_edit_cannot_be_had_by_a_link(house: House) -> None:
    taken = await house.submit()
    async with house.nothing_changes():
        await look(house, taken)
        answer = await house.dave.get(f"{page_of(taken)}/edit", params={"text": "Mine."})
    assert answer.status_code == 405


async def test_answers_to_an_edit_are_private_and_unlisted(house: House) -> None:
    taken = await house.submit()
    for text in ("", "Better."):
        headers = (await send(house, taken, text)).headers
        assert headers["x-robots-tag"] == "noindex"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"


async def change(house: House, **values: object) -> None:
    """Change Dave's comments in the database, for what no route does yet."""
    async with house.database.writing() as session:
        this = col(Comment.name) == "Dave"
        await session.exec(update(Comment).where(this).values(**values))


async def test_a_withdrawn_or_erased_comment_shows_no_text(house: House) -> None:
    taken = await house.publish(text="Secret.")
    await house.edit(taken, "Another secret.")
    await house.withdraw(taken)
    withdrawn = await look(house, taken)
    assert WORDS["withdrawn"] in withdrawn
    assert WORDS["keep_link"] not in withdrawn
    await change(house, status="erased", text="", html="", name="", url=None)
    erased = await look(house, taken)
    assert WORDS["erased"] in erased
    for page in (withdrawn, erased):
        assert "ecret" not in page
        assert "<form" not in page


async def test_a_site_without_origins_and_one_that_is_gone_do_not_fail(house: House) -> None:
    taken = await house.submit()
    async with house.database.writing() as session:
        await session.exec(delete(SiteOrigin))
    assert "/post" in await look(house, taken)
    async with house.database.writing() as session:
        # The log outlives it; all else is what a deletion would take along.
        for table in ("sealed_address", "comment"):
            await session.exec(delete_all(table))
    await look(house, taken, 404)


def delete_all(table: str) -> Any:
    return delete(Comment.metadata.tables[table])
