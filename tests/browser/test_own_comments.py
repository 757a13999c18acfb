"""A reader's own comments: what is shown of them, what can be done about them, and where the focus is."""

from datetime import UTC, datetime, timedelta

from playwright.async_api import Page, Route, expect

from tests.browser.stage import SITE, WIDGET, Stage, fill, send, shown

HERE = "document.querySelector('greenroom-comments').shadowRoot.activeElement"
PREVIEW = f"**/v1/sites/{SITE}/preview"
WINDOW = "edit_window_seconds"


async def look_again(page: Page) -> None:
    """Leave the tab and come back after some time, at which the widget asks what became of the comments."""
    await page.clock.set_system_time(datetime.now(UTC) + timedelta(minutes=2))
    async with page.expect_response("**/v1/receipts/*"):
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


async def write(stage: Stage, page: Page, text: str) -> None:
    await fill(page, text)
    await send(page)
    await expect(shown(page, "edit")).to_be_visible()


async def correct(page: Page, text: str) -> None:
    await shown(page, "edit").click()
    await shown(page, "editor").get_by_label("Your text").fill(text)
    await shown(page, "editor").get_by_role("button", name="Save").click()
    await expect(shown(page, "editor")).to_have_count(0)


async def test_a_held_comment_is_shown_as_it_will_look_after_a_reload_too(stage: Stage) -> None:
    page = await stage.open()
    await write(stage, page, "I *like* it.")
    held = shown(page, "held")
    await expect(held.locator("em")).to_have_text("like")
    await page.reload()
    await expect(held.locator("em")).to_have_text("like")
    await correct(page, "I **love** it.")
    await expect(held.locator("strong")).to_have_text("love")
    await page.route(PREVIEW, lambda route: route.abort())
    await page.reload()
    await expect(held).to_contain_text("I **love** it.")


async def test_a_correction_that_waits_says_so_after_a_reload_until_it_is_decided(
    stage: Stage,
) -> None:
    page = await stage.open()
    await write(stage, page, "I liek it.")
    [comment] = await stage.approve_all()
    await expect(shown(page, "text")).to_have_text("I liek it.")
    for decide, text in (("reject", "I liek it."), ("approve", "I like it.")):
        await correct(page, "I like it.")
        await expect(shown(page, "waits")).to_contain_text("waits for a moderator")
        await page.reload()
        await expect(shown(page, "waits")).to_contain_text("waits for a moderator")
        await expect(shown(page, "text")).to_have_text("I liek it.")
        await stage.decide(decide, comment)
        await page.reload()
        await expect(shown(page, "edit")).to_be_visible()
        await expect(shown(page, "text")).to_have_text(text)
        await expect(shown(page, "waits")).to_have_count(0)


async def test_a_correction_that_was_rejected_no_longer_waits_when_the_reader_comes_back(
    stage: Stage,
) -> None:
    page = await stage.open(context=await stage.context())
    await write(stage, page, "I liek it.")
    [comment] = await stage.approve_all()
    await expect(shown(page, "text")).to_be_visible()
    await correct(page, "I like it.")
    await expect(shown(page, "waits")).to_be_visible()
    await stage.decide("reject", comment)
    await look_again(page)
    await expect(shown(page, "waits")).to_have_count(0)


async def test_the_button_to_correct_goes_when_its_time_is_over(stage: Stage) -> None:
    await stage.api.patch(f"/v1/sites/{SITE}", json={"settings": {WINDOW: 6}})
    try:
        page = await stage.open()
        await write(stage, page, "I liek it.")
        await shown(page, "edit").focus()
        await expect(shown(page, "edit")).to_have_count(0, timeout=20_000)
        await expect(shown(page, "held")).to_be_focused()
        await expect(page.get_by_role("button", name="Withdraw")).to_be_visible()
    finally:
        await stage.api.patch(f"/v1/sites/{SITE}", json={"settings": {WINDOW: 900}})


async def test_a_correction_that_comes_too_late_is_told_and_kept(stage: Stage) -> None:
    page = await stage.open()
    await write(stage, page, "I liek it.")
    await shown(page, "edit").click()
    await shown(page, "editor").get_by_label("Your text").fill("I like it.")
    await stage.api.patch(f"/v1/sites/{SITE}", json={"settings": {WINDOW: 0}})
    try:
        await shown(page, "editor").get_by_role("button", name="Save").click()
        await expect(shown(page, "editor")).to_contain_text("can be corrected is over.")
        await expect(shown(page, "editor").get_by_label("Your text")).to_have_value("I like it.")
        await expect(shown(page, "edit")).to_have_count(0)
    finally:
        await stage.api.patch(f"/v1/sites/{SITE}", json={"settings": {WINDOW: 900}})


async def test_own_comments_come_back_as_soon_as_their_script_can_be_had(stage: Stage) -> None:
    page = await stage.open()
    await write(stage, page, "I like it.")
    await page.route("**/embed-later.js*", lambda route: route.abort())
    await page.reload()
    await expect(shown(page, "form")).to_be_visible()
    await expect(shown(page, "held")).to_have_count(0)
    await page.unroute("**/embed-later.js*")
    await page.locator(f"{WIDGET} [name=text]:visible").focus()
    await expect(shown(page, "held")).to_contain_text("I like it.")


async def test_a_comment_that_went_back_to_the_queue_is_shown_as_waiting(stage: Stage) -> None:
    page = await stage.open()
    await write(stage, page, "I like it.")
    [comment] = await stage.approve_all()
    await expect(shown(page, "text")).to_have_text("I like it.")
    await page.goto("about:blank")
    await stage.decide("requeue", comment)
    await page.goto(stage.put())
    await expect(shown(page, "held")).to_contain_text("awaiting moderation")
    await expect(page.get_by_role("article", name="Dave")).to_be_visible()


async def test_a_correction_that_repeats_a_comment_is_told_so(stage: Stage) -> None:
    await stage.submit("I like it.", name="Dave")
    page = await stage.open()
    await write(stage, page, "I liek it.")
    await shown(page, "edit").click()
    await shown(page, "editor").get_by_label("Your text").fill("I like it.")
    await shown(page, "editor").get_by_role("button", name="Save").click()
    await expect(shown(page, "editor")).to_contain_text("has been sent here already")


async def test_a_correction_can_be_seen_before_it_is_saved(stage: Stage) -> None:
    page = await stage.open()
    await write(stage, page, "I liek it.")
    await shown(page, "edit").click()
    await shown(page, "editor").get_by_label("Your text").fill("I *like* it.")
    await shown(page, "editor").get_by_role("button", name="Preview").click()
    region = shown(page, "editor").get_by_role("region", name="Preview")
    await expect(region.locator("em")).to_have_text("like")
    await shown(page, "editor").get_by_role("button", name="Save").click()
    await expect(region).to_have_count(0)


async def test_a_button_keeps_the_focus_when_nothing_has_changed(stage: Stage) -> None:
    page = await stage.open(context=await stage.context())
    await write(stage, page, "I like it.")
    await page.get_by_role("button", name="Withdraw").click()
    cancel = shown(page, "held").get_by_role("button", name="Cancel")
    await expect(cancel).to_be_focused()
    await look_again(page)
    await expect(cancel).to_be_focused()


async def test_the_focus_stays_in_a_comment_that_is_approved(stage: Stage) -> None:
    page = await (await stage.context()).new_page()
    # So it is the receipt by which the widget hears of it.
    await page.route("**/stream*", lambda route: route.abort())
    await page.goto(stage.put())
    await write(stage, page, "I like it.")
    await page.get_by_role("button", name="Withdraw").focus()
    await stage.approve_all()
    await look_again(page)
    await expect(shown(page, "text")).to_be_visible()
    assert await page.evaluate(f"{HERE}.closest('article')?.part.contains('comment')")


async def test_what_is_pressed_twice_is_sent_again_once(stage: Stage) -> None:
    page = await stage.open()
    await fill(page, email="dave@gmial.com")
    await send(page)
    await page.get_by_role("button", name="Send it with gmail.com instead").dblclick()
    await expect(shown(page, "doubt")).to_have_count(0)
    await expect(shown(page, "held")).to_have_count(1)
    await stage.has_pending(1)
    await expect(shown(page, "summary")).to_have_count(0)
    await expect(page.locator(f"{WIDGET} [name=text]:visible")).to_have_value("")


async def test_a_withdrawal_that_does_not_get_through_is_told(stage: Stage) -> None:
    page = await stage.open()
    await write(stage, page, "I like it.")

    async def lose(route: Route) -> None:
        await (route.abort() if route.request.method == "DELETE" else route.continue_())

    await page.route("**/v1/receipts/*", lose)
    await page.get_by_role("button", name="Withdraw").click()
    await page.get_by_role("button", name="Withdraw").click()
    await expect(shown(page, "status")).to_contain_text("That did not work.")
    await expect(shown(page, "held")).to_be_visible()


async def test_one_s_own_answer_to_oneself_is_looked_after_by_itself(stage: Stage) -> None:
    page = await stage.open()
    await write(stage, page, "A question?")
    [question] = await stage.approve_all()
    await shown(page, "reply").click()
    await fill(page, "An answer.")
    await send(page)
    answer = page.locator(f"{WIDGET} #comment-{question} [part~=replies] [part~=held]")
    await answer.get_by_role("button", name="Correct").click()
    outer = page.locator(f"{WIDGET} #comment-{question} > article")
    await outer.get_by_role("button", name="Correct").click()
    await expect(shown(page, "editor")).to_have_count(2)
