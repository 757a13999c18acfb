"""Every state of the widget and of its pages, for people who see, hear, type or read otherwise."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from service.text.languages import LANGUAGES, Language, direction, read_words
from tests.browser.stage import SITE, WIDGET, Stage, fill, send, shown

# From right to left, with long words, and without blanks between words.
SOME = ("ar", "de", "ja")
# axe-core takes a page without a background for a white one.
PAPER = "<style>:root { background: Canvas; color: CanvasText; }</style>"


async def show_empty(stage: Stage, page: Page) -> None:
    await expect(shown(page, "empty")).to_be_visible()


async def show_thread(stage: Stage, page: Page) -> None:
    first = await stage.publish(
        "A *question*, with `code` and https://links.example.", url="https://ann.example"
    )
    await stage.publish("> A question\n\nAn answer.", parent=first)
    gone = await stage.submit("Taken back.")
    await stage.decide("approve", gone["id"])
    await stage.publish("An answer to what is gone.", parent=gone["id"])
    await stage.api.delete(f"/v1/receipts/{gone['receipt']['token']}")
    await page.reload()
    await expect(shown(page, "removed")).to_be_visible()


async def show_reply(stage: Stage, page: Page) -> None:
    await stage.publish("A question?")
    await page.reload()
    await shown(page, "reply").click()


async def show_errors(stage: Stage, page: Page) -> None:
    await fill(page, "", email="dave@gmail,com")
    await page.locator(f"{WIDGET} [name=text]:visible").fill("x" * 10_001)
    await send(page)
    await expect(shown(page, "error")).to_have_count(2)


async def show_offline(stage: Stage, page: Page) -> None:
    await page.route(f"**/v1/sites/{SITE}/comments", lambda route: route.abort())
    await fill(page)
    await send(page)
    await expect(shown(page, "summary")).to_be_visible()


async def show_preview(stage: Stage, page: Page) -> None:
    await fill(page, "A *text* with `code`, https://links.example.\n\n> and a quotation")
    await shown(page, "preview").click()
    await expect(shown(page, "rendered")).to_be_visible()


async def show_consent(stage: Stage, page: Page) -> None:
    said = {"form.privacy_text": "We keep it.", "form.privacy_url": "https://blog.example/privacy"}
    wanted = {**said, "form.consent": "required"}
    await stage.api.patch(f"/v1/sites/{SITE}", json={"settings": wanted})
    # The page that was loaded before may be kept for two seconds.
    await page.goto(stage.put(attributes='limit="7"', head=PAPER))
    await expect(shown(page, "privacy")).to_be_visible()
    unsaid = {**dict.fromkeys(said, ""), "form.consent": "none"}
    await stage.api.patch(f"/v1/sites/{SITE}", json={"settings": unsaid})
    await fill(page)
    await send(page)
    await expect(shown(page, "error")).to_be_visible()


async def show_held(stage: Stage, page: Page) -> None:
    await fill(page, email="dave@gmial.com")
    await send(page)
    await expect(shown(page, "doubt")).to_be_visible()
    await expect(shown(page, "edit")).to_be_visible()


async def show_editor(stage: Stage, page: Page) -> None:
    await fill(page)
    await send(page)
    await shown(page, "edit").click()
    await expect(shown(page, "editor")).to_be_visible()


async def show_closed(stage: Stage, page: Page) -> None:
    await stage.publish("The last one.")
    closed = {"article": stage.article, "state": "closed"}
    await stage.api.post(f"/v1/sites/{SITE}/articles", json=closed)
    await page.reload()
    await expect(shown(page, "closed")).to_be_visible()


async def show_failure(stage: Stage, page: Page) -> None:
    await page.route("**/comments.html*", lambda route: route.abort())
    await page.reload()
    await expect(page.get_by_role("alert")).to_be_visible()


async def show_receipt(stage: Stage, page: Page) -> None:
    taken = await stage.submit("Mine.")
    await page.goto(taken["receipt"]["url"])
    await expect(page.get_by_role("heading", level=1)).to_be_visible()


async def show_error_page(stage: Stage, page: Page) -> None:
    url = f"{stage.url}/v1/sites/{SITE}/comments.html?article={stage.article}&view=page"
    await page.goto(url)
    await page.get_by_role("textbox", name="Comment").fill("I like it.")
    await page.locator("form").evaluate("form => { form.noValidate = true; }")
    await page.get_by_role("button").click()
    await expect(page.get_by_role("alert")).to_be_visible()


async def show_framed(stage: Stage, page: Page) -> None:
    await stage.publish("A question?")
    await page.goto(f"{stage.url}/v1/sites/{SITE}/comments.html?article={stage.article}&view=page")


STATES: list[Callable[[Stage, Page], Awaitable[None]]] = [
    *(show_empty, show_thread, show_reply, show_errors, show_offline, show_preview, show_consent),
    *(show_held, show_editor),
    *(show_closed, show_failure, show_receipt, show_error_page, show_framed),
]


async def picture(page: Page, name: str) -> None:
    """Keep what is to be seen, for people to look at, where GREENROOM_SCREENSHOTS names a folder."""
    if folder := os.environ.get("GREENROOM_SCREENSHOTS"):
        await page.screenshot(path=Path(folder, f"{name}.png"), full_page=True)


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.more)])
@pytest.mark.parametrize("show", STATES, ids=lambda show: show.__name__.removeprefix("show_"))
async def test_no_rule_of_wcag_is_broken(
    stage: Stage, show: Callable[[Stage, Page], Awaitable[None]], scheme: Any
) -> None:
    # axe-core works by evaluating text, which the pages' policy would forbid.
    url = stage.put(head=PAPER)
    page = await stage.open(url, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    await show(stage, page)
    await picture(page, f"{show.__name__}-{scheme}")
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize(
    "language",
    [pytest.param(one, marks=() if one in SOME else pytest.mark.more) for one in LANGUAGES],
)
async def test_every_language_is_spoken_throughout(stage: Stage, language: Language) -> None:
    await stage.publish("A question?")
    page = await stage.open(stage.put(lang=language), viewport={"width": 320, "height": 640})
    words = read_words(language)
    await expect(shown(page, "form-title")).to_have_text(words["title"])
    await expect(page.locator(f"{WIDGET} section")).to_have_attribute("dir", direction(language))
    await fill(page, "")
    await send(page)
    await expect(shown(page, "error")).to_have_text(words["field_required"])
    await fill(page, name=f"Dave {language}")
    await send(page)
    await expect(shown(page, "held")).to_contain_text(words["held"])
    await picture(page, f"language-{language}")
    too_wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not await page.evaluate(too_wide)


async def test_everything_that_can_be_pressed_is_large_enough(stage: Stage) -> None:
    page = await stage.open(viewport={"width": 320, "height": 640})
    await fill(page, email="dave@gmial.com")
    await send(page)
    await expect(shown(page, "edit")).to_be_visible()
    for target in await page.locator(
        f"{WIDGET} :is(button, input, textarea, label:has(input)):visible"
    ).all():
        box = await target.bounding_box()
        is_in_label = await target.evaluate(
            "node => Boolean(node.closest('label') && node.type === 'checkbox')"
        )
        assert box is not None
        assert is_in_label or box["height"] >= 44, await target.evaluate("node => node.outerHTML")


async def test_everything_can_be_done_by_keyboard(stage: Stage) -> None:
    await stage.publish("A question?")
    page = await stage.open()
    await shown(page, "reply").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.type("An answer.")
    await page.keyboard.press("Tab")
    await page.keyboard.type("Dave")
    await page.keyboard.press("Tab")
    await page.keyboard.type("dave@mail.example")
    await page.keyboard.press("Enter")
    await expect(shown(page, "held")).to_contain_text("An answer.")
    await expect(shown(page, "held")).to_be_focused()


async def test_the_note_about_the_address_belongs_to_its_field(stage: Stage) -> None:
    page = await stage.open()
    email = page.locator(f"{WIDGET} [name=email]:visible")
    await expect(email).to_have_accessible_description("Your e-mail address will not be published.")
