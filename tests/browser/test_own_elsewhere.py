"""A reader's own comments while something else happens: more is typed, another tab acts, a clock is wrong."""

from datetime import UTC, datetime, timedelta

from playwright.async_api import Page, Request, expect

from tests.browser.holding import Held
from tests.browser.stage import Stage, fill, send, shown
from tests.waiting import until


async def write(page: Page, text: str) -> None:
    await fill(page, text)
    await send(page)
    await expect(shown(page, "edit")).to_be_visible()


async def test_what_is_typed_while_a_correction_is_saved_stays(stage: Stage) -> None:
    page = await stage.open()
    await write(page, "I liek it.")
    await shown(page, "edit").click()
    area = shown(page, "editor").get_by_label("Your text")
    await area.fill("I like it.")
    async with Held(page, "**/v1/receipts/*", "PATCH") as held:
        await shown(page, "editor").get_by_role("button", name="Save").click()
        await held.is_asked_for()
        await area.press("End")
        await area.press_sequentially(" A lot.")
        async with page.expect_response("**/v1/receipts/*"):
            held.let_go()
        await expect(shown(page, "held").locator("[part~=plain]")).to_have_text("I like it.")
    await expect(area).to_have_value("I like it. A lot.")
    await page.reload()
    await expect(area).to_have_value("I like it. A lot.")
    # It is open after a reload, and taken down meanwhile nothing of it is lost.
    [comment] = await stage.approve_all()
    await expect(shown(page, "text")).to_have_text("I like it.")
    await stage.decide("reject", comment)
    await expect(shown(page, "held")).to_contain_text("was not published")
    await expect(area).to_have_value("I like it. A lot.")


async def test_what_is_withdrawn_in_one_tab_goes_in_the_other(stage: Stage) -> None:
    context = await stage.context()
    page, other = await stage.open(context=context), await stage.open(context=context)
    await write(page, "The first.")
    await expect(shown(other, "edit")).to_be_visible()
    await shown(other, "edit").click()
    area = shown(other, "editor").get_by_label("Your text")
    await area.fill("What I think")
    await page.get_by_role("button", name="Withdraw").click()
    await page.get_by_role("button", name="Withdraw").click()
    await expect(shown(page, "held")).to_have_count(0)
    # Somebody writes there, and is told.
    await shown(other, "editor").get_by_role("button", name="Save").click()
    await expect(shown(other, "editor")).to_contain_text("Your comment was withdrawn.")
    await expect(area).to_have_value("What I think")
    await shown(other, "editor").get_by_role("button", name="Cancel").click()
    await expect(shown(other, "held")).to_have_count(0)


async def test_by_a_wrong_clock_receipts_are_asked_for_seldom_and_one_after_the_other(
    stage: Stage,
) -> None:
    for number in range(4):
        await stage.publish(f"Number {number}.")
    context = await stage.context()
    page = await stage.open(context=context)
    for number in range(3):
        await write_another(page, f"Mine {number}.")
    await context.clock.set_system_time(datetime.now(UTC) + timedelta(days=3))
    together = most = 0
    asked: list[Request] = []

    def begin(request: Request) -> None:
        nonlocal together, most
        if "/v1/receipts/" in request.url:
            asked.append(request)
            together += 1
            most = max(most, together)

    def end(request: Request) -> None:
        nonlocal together
        together -= "/v1/receipts/" in request.url

    page.on("request", begin)
    page.on("requestfinished", end)
    await page.clock.install(time=datetime.now(UTC) + timedelta(days=3))
    await page.reload()
    await expect(shown(page, "edit")).to_have_count(3)
    await page.clock.run_for(30_000)
    for _ in range(3):
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert (len(asked), most) == (3, 1)


async def write_another(page: Page, text: str) -> None:
    await fill(page, text)
    await send(page)
    await expect(page.get_by_role("article").filter(has_text=text)).to_be_visible()


async def test_a_mended_address_is_the_one_that_is_remembered(stage: Stage) -> None:
    page = await stage.open()
    await fill(page, email="dave@gmial.com")
    await page.get_by_label("Save my name, e-mail and website in this browser").check()
    await send(page)
    await page.get_by_role("button", name="Send it with gmail.com instead").click()
    await expect(shown(page, "doubt")).to_have_count(0)
    kept = "JSON.parse(localStorage['greenroom:me']).email"

    async def is_mended() -> bool:
        return bool(await page.evaluate(kept) == "dave@gmail.com")

    await until(is_mended)


async def test_what_can_be_done_with_one_s_own_outlives_a_jump_and_another_order(
    stage: Stage,
) -> None:
    ids = [await stage.publish(f"Number {number}.") for number in range(5)]
    page = await stage.open(stage.put(attributes='limit="2"'))
    await write(page, "Mine *indeed*.")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    await page.evaluate(f"location.hash = 'comment-{ids[4]}'")
    await expect(page.locator(f"#comment-{ids[4]}")).to_be_visible()
    await expect(shown(page, "edit")).to_be_visible()
    await page.get_by_label("Order of the comments").select_option("newest")
    await expect(page.locator(f"#comment-{ids[4]}")).to_be_visible()
    await expect(shown(page, "edit")).to_be_visible()
    await expect(shown(page, "held").locator("em")).to_have_text("indeed")
    # What is known is not asked for again.
    assert [one for one in asked if "/receipts/" in one or "/preview" in one] == []


async def test_to_withdraw_ends_the_correction_of_the_same_comment(stage: Stage) -> None:
    page = await stage.open()
    await write(page, "I liek it.")
    await shown(page, "edit").click()
    await shown(page, "editor").get_by_label("Your text").fill("I like it.")
    await page.get_by_role("button", name="Withdraw").click()
    await page.get_by_role("button", name="Withdraw").click()
    await expect(shown(page, "held")).to_have_count(0)
    await expect(shown(page, "editor")).to_have_count(0)
    await page.reload()
    await expect(shown(page, "empty")).to_be_visible()
