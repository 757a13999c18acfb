"""What comes late, or goes away, leaves the focus where the reader is, or hands it to what is next."""

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.holding import Held
from tests.browser.stage import SITE, WIDGET, Stage, fill, send, shown

HERE = "document.querySelector('greenroom-comments').shadowRoot.activeElement"
PAGES = f"**/v1/sites/{SITE}/comments?*"
POSTS = f"**/v1/sites/{SITE}/comments"


async def part_of_focus(page: Page) -> str:
    return str(await page.evaluate(f"{HERE}?.part.value ?? ''"))


@pytest.mark.parametrize("late", ["more", "jump", "order", "sent"])
async def test_who_types_on_is_not_led_away_by_what_comes_late(stage: Stage, late: str) -> None:
    ids = [await stage.publish(f"Number {number}.") for number in range(3)]
    page = await stage.open(stage.put(attributes='limit="1"'))
    text = page.locator(f"{WIDGET} [name=text]:visible")
    await fill(page, "")
    pattern = {"order": "**/comments.html*", "sent": POSTS}.get(late, PAGES)
    async with Held(page, pattern) as held:
        if late == "more":
            await shown(page, "more").click()
        elif late == "jump":
            await page.evaluate(f"location.hash = 'comment-{ids[2]}'")
        elif late == "order":
            await page.get_by_label("Order of the comments").select_option("newest")
        else:
            await text.fill("I like it.")
            await send(page)
        await held.is_asked_for()
        await text.click()
        await page.keyboard.press("End")
        await page.keyboard.type(" It is")
        held.let_go()
        if late == "sent":
            await expect(shown(page, "held")).to_be_visible()
        else:
            await expect(page.locator(f"#comment-{ids[0 if late == 'order' else 2]}")).to_have_count(
                {"more": 0, "jump": 1, "order": 0}[late]
            )
            if late == "more":
                await expect(shown(page, "text")).to_have_count(2)
        await page.keyboard.type(" good.")
    before = "I like it." if late == "sent" else ""
    await expect(text).to_be_focused()
    await expect(text).to_have_value(f"{before} It is good.")


async def test_what_goes_away_hands_the_focus_on(stage: Stage) -> None:
    first = await stage.publish("A question?")
    answer = await stage.publish("An answer.", parent=first)
    second = await stage.publish("Another question?")
    page = await stage.open(stage.put(attributes='limit="3"'))
    # A thread is taken down with all its answers.
    await page.locator(f"#comment-{answer} [part~=reply]").focus()
    await stage.decide("reject", first)
    await expect(page.locator(f"#comment-{second} > [part~=comment]")).to_be_focused()
    # Somebody cancels an answer to what is gone or folded away.
    reply = await stage.publish("Its answer.", parent=second)
    await page.locator(f"#comment-{reply} [part~=reply]").click()
    await page.keyboard.type("Mine")
    await shown(page, "fold").click()
    await shown(page, "cancel").press("Enter")
    await expect(shown(page, "form-title")).to_be_focused()


@pytest.mark.parametrize("way", ["withdrawn", "taken-down"])
async def test_who_writes_below_an_answer_stays_when_what_it_answers_goes(stage: Stage, way: str) -> None:
    first = await stage.submit("A question?")
    await stage.approve_all()
    answer = await stage.publish("An answer.", parent=first["id"])
    page = await stage.open()
    await page.locator(f"#comment-{answer} [part~=reply]").click()
    await page.keyboard.type("What I")
    if way == "withdrawn":
        await stage.api.delete(f"/v1/receipts/{first['receipt']['token']}")
        await expect(shown(page, "removed")).to_be_visible()
    else:
        await stage.decide("reject", first["id"])
        await expect(shown(page, "comment")).to_have_count(0)
    await page.keyboard.type(" think")
    await expect(page.locator(f"{WIDGET} [name=text]:visible")).to_have_value("What I think")


async def test_the_last_part_of_the_list_may_be_folded_away(stage: Stage) -> None:
    first = await stage.publish("A question?")
    for number in range(2):
        await stage.publish(f"Answer {number}.", parent=first)
    page = await stage.open(stage.put(attributes='limit="2"'))
    await shown(page, "fold").click()
    await shown(page, "more").press("Enter")
    await expect(shown(page, "more")).to_have_count(0)
    await expect(page.locator(f"#comment-{first} > [part~=comment]")).to_be_focused()


async def test_who_hears_that_nothing_got_through_hears_it_again(stage: Stage) -> None:
    page = await stage.open()
    await fill(page)
    tries: list[Route] = []

    async def lose(route: Route) -> None:
        tries.append(route)
        await route.abort()

    await page.route(POSTS, lose)
    async with page.expect_event("requestfailed"):
        await shown(page, "submit").press("Enter")
    async with page.expect_event("requestfailed"):
        await expect(shown(page, "summary")).to_be_focused()
    await expect(shown(page, "summary")).to_be_focused()
    assert len(tries) == 2


async def test_the_address_may_change_where_the_article_does_not(stage: Stage) -> None:
    await stage.publish("A question?")
    page = await stage.open(stage.put(article="auto"))
    text = page.locator(f"{WIDGET} [name=text]:visible")
    await text.click()
    await page.keyboard.type("Half a")
    async with page.expect_response("**/comments.html*"):
        await page.evaluate("history.replaceState(null, '', '?utm_source=x')")
    await expect(shown(page, "date")).to_have_attribute("href", f"{page.url}#comment-{await first_id(page)}")
    await page.keyboard.type(" thought")
    await expect(text).to_have_value("Half a thought")


async def first_id(page: Page) -> str:
    found = await page.locator(f"{WIDGET} [part~=item]").first.get_attribute("id")
    return str(found).removeprefix("comment-")


async def test_what_is_told_at_the_bottom_covers_nothing_that_has_the_focus(stage: Stage) -> None:
    for number in range(6):
        await stage.publish(f"Number {number}.")
    page = await stage.open(viewport={"width": 320, "height": 480})
    await fill(page)
    await send(page)
    await expect(shown(page, "status")).to_be_visible()
    await page.evaluate("scrollTo(0, 0)")
    await shown(page, "jump").focus()
    covered = f"""() => {{
      const root = document.querySelector("{WIDGET}").shadowRoot;
      const place = (one) => one.getBoundingClientRect();
      const [at, told] = [root.activeElement, root.querySelector("[part~=status]")].map(place);
      return at.top >= told.top && at.bottom <= told.bottom;
    }}"""
    for _ in range(20):
        await page.keyboard.press("Tab")
        assert not await page.evaluate(covered), await part_of_focus(page)


async def test_what_changes_elsewhere_leaves_the_view_where_the_reader_has_scrolled(
    stage: Stage,
) -> None:
    for number in range(30):
        await stage.publish(f"Number {number}.")
    page = await stage.open()
    await fill(page)
    await send(page)
    await expect(shown(page, "held")).to_be_focused()
    await page.evaluate("scrollTo(0, 0)")
    await stage.approve_all()
    await expect(shown(page, "status")).to_have_text("Your comment is published.")
    assert await part_of_focus(page) == "comment"
    assert await page.evaluate("scrollY") == 0
