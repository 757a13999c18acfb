"""What somebody does while the second script is still on its way is neither lost nor moved."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.holding import LATER, Held
from tests.browser.stage import WIDGET, Stage, fill, send, shown


async def arrive(page: Page, held: Held) -> None:
    """Let the script go, and wait until it has taken the form over."""
    held.let_go()
    await expect(page.locator(f"{WIDGET} [name=text] + [part~=counter]")).to_have_count(1)


async def open_held(stage: Stage, **options: Any) -> tuple[Page, Held]:
    page = await stage.blank(**options)
    held = Held(page, LATER)
    await held.hold()
    await page.goto(stage.put())
    return page, held


def field(page: Page, name: str) -> Locator:
    return page.locator(f"{WIDGET} [name={name}]:visible")


async def test_who_answers_and_types_on_keeps_the_cursor(stage: Stage) -> None:
    await stage.publish("A question?")
    page, held = await open_held(stage)
    await shown(page, "reply").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.type("An answer.")
    await page.keyboard.press("Tab")
    await page.keyboard.type("Da")
    await arrive(page, held)
    await expect(shown(page, "form-title")).to_have_text("Reply to Ann")
    await page.keyboard.type("ve")
    await page.keyboard.press("Tab")
    await page.keyboard.type("dave@mail.example")
    await page.keyboard.press("Enter")
    await expect(shown(page, "held")).to_contain_text("An answer.")
    assert (await stage.pending())[0]["name"] == "Dave"


async def test_the_last_of_several_is_answered(stage: Stage) -> None:
    first, second = await stage.publish("One."), await stage.publish("Two.")
    page, held = await open_held(stage)
    for one in (first, second, first, second):
        await page.locator(f"#comment-{one}").get_by_role("button", name="Reply to Ann").click()
    await field(page, "text").fill("Mine.")
    await arrive(page, held)
    await expect(field(page, "text")).to_be_focused()
    await fill(page, "Mine.")
    await send(page)
    await expect(shown(page, "held")).to_be_visible()
    assert [one["parent"] for one in await stage.pending()] == [second]


async def test_a_draft_is_there_at_once_and_does_not_come_over_what_is_typed(stage: Stage) -> None:
    page, held = await open_held(stage)
    await fill(page, "A draft.")
    await arrive(page, held)
    await held.hold()
    await page.reload()
    await expect(field(page, "text")).to_have_value("A draft.")
    await field(page, "text").fill("Another text.")
    await page.get_by_label("Save my name, e-mail and website in this browser").check()
    await arrive(page, held)
    await expect(field(page, "text")).to_have_value("Another text.")
    await expect(page.get_by_label("Save my name, e-mail and website")).to_be_checked()


@pytest.mark.parametrize("act", ["remove", "fold"])
async def test_the_form_outlives_the_comment_that_it_stands_under(stage: Stage, act: str) -> None:
    question = await stage.publish("A question?")
    answer = await stage.publish("An answer.", parent=question)
    page, held = await open_held(stage)
    await page.locator(f"#comment-{answer}").get_by_role("button", name="Reply to Ann").click()
    await page.keyboard.type("What I think")
    acts: dict[str, Callable[[], Any]] = {
        "remove": lambda: stage.decide("reject", answer),
        "fold": shown(page, "fold").click,
    }
    await acts[act]()
    await expect(field(page, "text")).to_have_value("What I think")
    await arrive(page, held)
    await expect(page.locator(f"#comment-{answer} [part~=reply]")).to_be_hidden()
    await expect(field(page, "text")).to_have_value("What I think")
    await fill(page, "What I think.")
    await send(page)
    await expect(shown(page, "submit")).to_have_text("Post comment")
    parent = None if act == "remove" else answer
    assert [(one["text"], one["parent"]) for one in await stage.pending()] == [("What I think.", parent)]


async def test_a_link_to_a_comment_that_is_not_loaded_leaves_the_form(stage: Stage) -> None:
    ids = [await stage.publish(f"Number {number}.") for number in range(3)]
    page = await stage.blank()
    await page.goto(stage.put(attributes='limit="1"'))
    await page.locator(f"#comment-{ids[0]}").get_by_role("button", name="Reply to Ann").click()
    await page.keyboard.type("What I think")
    await page.evaluate(f"location.hash = 'comment-{ids[2]}'")
    await expect(page.locator(f"#comment-{ids[2]}")).to_be_visible()
    await expect(field(page, "text")).to_have_value("What I think")
    await expect(shown(page, "form-title")).to_have_text("Reply to Ann")
    await fill(page, "What I think.")
    await send(page)
    await expect(shown(page, "held")).to_be_visible()
    assert [one["parent"] for one in await stage.pending()] == [ids[0]]


async def test_what_is_sent_meanwhile_is_sent_once_it_can_be(stage: Stage) -> None:
    page, held = await open_held(stage)
    await fill(page)
    for _ in range(3):
        await send(page)
    await expect(shown(page, "submit")).to_have_text("Sending…")
    await arrive(page, held)
    await expect(shown(page, "held")).to_contain_text("I like it.")
    assert len(await stage.pending()) == 1
