"""What the form of the widget says, shows and asks before anything is sent."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.browser.stage import SITE, WIDGET, Stage, asked_for, fill, send, shown

LATER = "**/embed-later.js*"
PREVIEW = f"**/v1/sites/{SITE}/preview"
UNSAID = {"form.privacy_text": "", "form.privacy_url": "", "form.consent": "none"}


async def set_up(stage: Stage, settings: dict[str, Any]) -> None:
    answer = await stage.api.patch(f"/v1/sites/{SITE}", json={"settings": settings})
    assert answer.status_code == 200, answer.text


@pytest.fixture
async def private(stage: Stage) -> AsyncIterator[Stage]:
    """Give a site that wants consent to what it says about privacy."""
    said = {"form.privacy_text": "We keep it.", "form.privacy_url": "https://blog.example/privacy"}
    await set_up(stage, {**said, "form.consent": "required"})
    yield stage
    await set_up(stage, UNSAID)


def text_of(page: Page) -> Locator:
    return page.locator(f"{WIDGET} [name=text]:visible")


async def test_it_says_what_works_in_a_text(stage: Stage) -> None:
    page = await stage.open()
    await expect(shown(page, "markup")).to_contain_text("**bold**, *emphasis*, `code`")
    said = await shown(page, "markup").text_content()
    await expect(text_of(page)).to_have_accessible_description(said or "")


async def test_what_is_typed_can_be_seen_before_it_is_sent(stage: Stage) -> None:
    page = await stage.open()
    asked = asked_for(page, "embed-later.js")
    await expect(shown(page, "preview")).to_be_visible()
    assert asked == []
    await fill(page, "I *like* it.\n\n<b>Not bold</b>")
    await shown(page, "preview").click()
    region = page.get_by_role("region", name="Preview")
    await expect(region.locator("em")).to_have_text("like")
    await expect(region).to_contain_text("<b>Not bold</b>")
    await text_of(page).press_sequentially("!")
    await expect(region).to_have_count(0)
    await shown(page, "preview").click()
    await expect(region).to_contain_text("Not bold</b>!")
    await send(page)
    await expect(shown(page, "held")).to_be_visible()
    await expect(region).to_have_count(0)
    assert len(asked) == 1


async def test_a_text_that_is_sent_or_changed_meanwhile_is_not_shown(stage: Stage) -> None:
    page = await stage.open()
    held: list[Route] = []
    await page.route(PREVIEW, lambda route: held.append(route))
    await fill(page, "The *first*.")
    async with page.expect_request(PREVIEW):
        await shown(page, "preview").click()
    await send(page)
    await expect(shown(page, "held")).to_be_visible()
    for route in held:
        await route.continue_()
    await expect(page.locator(f"{WIDGET} [part~=held] em")).to_have_text("first")
    await expect(shown(page, "previewed")).to_have_count(0)


async def test_what_stands_against_a_preview_is_told(stage: Stage) -> None:
    page = await stage.open()
    await shown(page, "preview").click()
    await expect(shown(page, "previewed")).to_have_text("This field is required.")
    await text_of(page).fill("x" * 10_001)
    await shown(page, "preview").click()
    await expect(shown(page, "previewed")).to_contain_text("at most 10,000 characters")
    limited = {"status": 429, "headers": {"Retry-After": "30"}, "json": {"type": "rate-limited"}}
    await page.route(PREVIEW, lambda route: route.fulfill(**limited))
    await shown(page, "preview").click()
    await expect(shown(page, "previewed")).to_contain_text("That was too much at once.")
    await page.unroute(PREVIEW)
    await page.route(PREVIEW, lambda route: route.abort())
    await shown(page, "preview").click()
    await expect(shown(page, "previewed")).to_contain_text("That did not work.")
    await expect(text_of(page)).to_have_value("x" * 10_001)
    await expect(shown(page, "summary")).to_have_count(0)


async def test_where_its_script_cannot_be_had_the_reader_is_told_and_can_try_again(
    stage: Stage,
) -> None:
    page = await stage.open()
    await page.route(LATER, lambda route: route.abort())
    await fill(page)
    for _ in range(2):
        await shown(page, "preview").click()
        await expect(page.get_by_role("alert")).to_have_text(
            "That did not work. What you typed is still here."
        )
    await page.unroute(LATER)
    await shown(page, "preview").click()
    await expect(shown(page, "previewed")).to_have_text("I like it.")
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_what_the_service_shows_is_shown_as_it_is(stage: Stage) -> None:
    """Nothing of a text runs, breaks out, is lost, or makes the page wider, whatever it is."""
    nasty = [
        "<img src=x onerror=alert(1)><script>alert(1)</script>",
        "\u202eמשהו\u202c שלום **עולם**",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 ** \U0001f44d\U0001f3fd **",
        "안녕~하세요~ ~~아니~~",
        "> " * 40 + "deep",
        "`" * 300 + "x" * 300,
    ]
    page = await stage.open(viewport={"width": 320, "height": 640})
    for text in nasty:
        await text_of(page).fill(text)
        await shown(page, "preview").click()
        answer = await stage.api.post(f"/v1/sites/{SITE}/preview", json={"text": text})
        await expect(shown(page, "previewed")).to_have_js_property("innerHTML", answer.json()["html"])
    too_wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not await page.evaluate(too_wide)


async def test_the_longest_text_can_be_seen(stage: Stage) -> None:
    await set_up(stage, {"max_text_chars": 65_525})
    try:
        page = await stage.open()
        await text_of(page).fill("**Long** " * 6_666)
        await shown(page, "preview").click()
        await expect(shown(page, "previewed").locator("strong")).to_have_count(6_666)
    finally:
        await set_up(stage, {"max_text_chars": 10_000})


async def test_without_the_tick_that_the_site_wants_nothing_is_sent(private: Stage) -> None:
    page = await private.open()
    posts = asked_for(page, f"sites/{SITE}/comments")
    box = page.get_by_role("checkbox", name="We keep it.")
    await fill(page)
    await send(page)
    await expect(box).to_have_attribute("aria-invalid", "true")
    await expect(box).to_be_focused()
    await expect(box).to_have_accessible_description(
        "Tick this box if you agree; without it your comment is not sent."
    )
    assert [request for request in posts if request.method == "POST"] == []
    await expect(page.get_by_role("link", name="Privacy policy")).to_have_attribute(
        "href", "https://blog.example/privacy"
    )
    await box.check()
    await send(page)
    await expect(shown(page, "held")).to_be_visible()


async def test_the_box_is_asked_for_without_script_too(private: Stage) -> None:
    page = await private.blank(java_script_enabled=False)
    url = f"{private.url}/v1/sites/{SITE}/comments.html?article={private.article}&view=page"
    await page.goto(url)
    for name, value in (("text", "Mine."), ("name", "Dave"), ("email", "dave@mail.example")):
        await page.locator(f"[name={name}]").fill(value)
    await page.get_by_role("button", name="Post comment").click()
    await expect(page.locator("[name=consent]:invalid")).to_be_focused()
    assert await private.pending() == []
    await page.get_by_role("checkbox", name="We keep it.").check()
    await page.get_by_role("button", name="Post comment").click()
    await expect(page.get_by_role("status")).to_contain_text("awaiting moderation")


async def test_what_is_remembered_is_what_the_box_says(stage: Stage) -> None:
    page = await stage.open()
    await fill(page)
    await page.locator(f"{WIDGET} [name=url]:visible").fill("https://dave.example/")
    await page.get_by_label("Save my name, e-mail and website in this browser").check()
    await send(page)
    await expect(shown(page, "held")).to_be_visible()
    await page.reload()
    await expect(page.locator(f"{WIDGET} [name=url]:visible")).to_have_value("https://dave.example/")


async def test_enter_in_a_field_while_it_is_on_its_way_sends_once(stage: Stage) -> None:
    page = await stage.open()
    await fill(page)
    posts = asked_for(page, f"sites/{SITE}/comments")
    name = page.locator(f"{WIDGET} [name=name]:visible")
    await name.evaluate("field => { for (let i = 0; i < 5; i++) field.form.requestSubmit(); }")
    await expect(shown(page, "held")).to_be_visible()
    await name.press("Enter")
    await expect(shown(page, "error")).to_have_text("This field is required.")
    assert len([request for request in posts if request.method == "POST"]) == 1


async def test_two_tabs_with_the_same_draft_send_once(stage: Stage) -> None:
    context = await stage.context()
    first = await stage.open(context=context)
    await fill(first)
    second = await stage.open(context=context)
    await fill(second)
    await send(first)
    await expect(shown(first, "held")).to_be_visible()
    await send(second)
    await expect(shown(second, "summary")).to_contain_text("has been sent here already")
    await expect(text_of(second)).to_have_value("I like it.")
    assert len(await stage.pending()) == 1


async def test_who_presses_often_without_a_network_sends_once(stage: Stage) -> None:
    context = await stage.context()
    page = await stage.open(context=context)
    await page.route(LATER, lambda route: route.abort())
    await fill(page)
    for _ in range(3):
        await send(page)
    await expect(shown(page, "lost")).to_have_count(1)
    await page.unroute(LATER)
    await context.set_offline(True)
    await context.set_offline(False)
    await expect(shown(page, "held")).to_have_count(1)
    await expect(shown(page, "error")).to_have_count(0)
    assert len(await stage.pending()) == 1
