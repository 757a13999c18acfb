"""What is typed and wished for while the second script is not there is kept, and done as it was wished."""

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.browser.holding import LATER, Held
from tests.browser.stage import WIDGET, Stage, asked_for, fill, send, shown
from tests.waiting import until


def field(page: Page, name: str = "text") -> Locator:
    return page.locator(f"{WIDGET} [name={name}]:visible")


CHANGES = {
    "order": "node.setAttribute('order', 'newest')",
    "lang": "node.lang = 'de'",
    "article": "node.setAttribute('article', '/other'); setTimeout(back, 300)",
    "move": "document.body.append(node)",
    "reload": "location.reload()",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_draft_needs_no_second_script(stage: Stage, change: str) -> None:
    question = await stage.publish("A question?", name="Beth")
    page = await stage.open()
    await page.route(LATER, lambda route: route.abort())
    await page.locator(f"#comment-{question} [part~=reply]").click()
    await fill(page, "Half a thought")
    async with page.expect_response("**/comments.html*"):
        await page.locator(WIDGET).evaluate(
            f"""node => {{
              const here = node.getAttribute("article");
              const back = () => node.setAttribute("article", here);
              {CHANGES[change]};
            }}"""
        )
    await expect(field(page)).to_have_value("Half a thought")
    await expect(shown(page, "form-title")).to_have_text(
        "Reply to Beth" if change != "lang" else "Beth antworten"
    )


async def test_the_script_is_asked_for_again_as_somebody_types_on(stage: Stage) -> None:
    page = await stage.open()
    await page.route(LATER, lambda route: route.abort())
    async with page.expect_event("requestfailed"):
        await field(page).press("a")
    asked = asked_for(page, "embed-later.js")
    await page.unroute(LATER)
    await expect(field(page)).to_be_focused()
    counter = page.locator(f"{WIDGET} [name=text] + [part~=counter]")

    async def types_on() -> bool:
        await field(page).press("b")
        return bool(await counter.count())

    await until(types_on)
    assert len(asked) == 1


@pytest.mark.parametrize("wish", ["send", "preview"])
async def test_an_answer_stays_one_whatever_is_wished_for_next(stage: Stage, wish: str) -> None:
    question = await stage.publish("A question?")
    page = await stage.open()
    await page.route(LATER, lambda route: route.abort())
    await page.locator(f"#comment-{question} [part~=reply]").click()
    await fill(page, "An answer.")
    await page.unroute(LATER)
    await shown(page, "submit" if wish == "send" else "preview").click()
    if wish == "preview":
        await expect(shown(page, "previewed")).to_have_text("An answer.")
        await send(page)
    await expect(shown(page, "held")).to_be_visible()
    assert [one["parent"] for one in await stage.pending()] == [question]


async def test_what_is_changed_before_it_could_be_sent_is_not_sent_by_itself(stage: Stage) -> None:
    context = await stage.context()
    page = await stage.open(context=context)
    # The script is on its way.
    async with Held(page, LATER) as held:
        await fill(page, "I like it.")
        await send(page)
        await field(page).press_sequentially(" Or")
        await expect(shown(page, "submit")).to_have_text("Post comment")
        held.let_go()
        await expect(page.locator(f"{WIDGET} [name=text] + [part~=counter]")).to_have_count(1)
    # It cannot be had.
    await page.route(LATER, lambda route: route.abort())
    await page.reload()
    await send(page)
    await expect(shown(page, "lost")).to_be_visible()
    await field(page).press_sequentially(" not")
    await expect(shown(page, "lost")).to_have_count(0)
    await page.unroute(LATER)
    await page.evaluate("dispatchEvent(new Event('online'))")
    await field(page).press_sequentially(".")
    await send(page)
    await expect(shown(page, "held")).to_contain_text("I like it. Or not.")
    assert len(await stage.pending()) == 1


async def test_what_was_typed_into_the_page_s_own_form_goes_on(stage: Stage) -> None:
    await stage.publish("One.")
    await stage.publish("Two.")
    page = await stage.blank()
    await page.route(LATER, lambda route: route.abort())
    async with Held(page, "**/comments.html*") as held:
        inside = '<form><textarea name="text"></textarea><input name="name"></form>'
        await page.goto(stage.put(inside))
        await page.locator("form [name=text]").fill("Half a")
        held.let_go()
        await expect(shown(page, "form")).to_be_visible()
    await page.keyboard.type(" thought")
    await expect(field(page)).to_have_value("Half a thought")
    await page.get_by_label("Order of the comments").select_option("newest")
    await expect(shown(page, "text").first).to_have_text("Two.")
    await expect(field(page)).to_have_value("Half a thought")


async def test_more_that_cannot_be_had_is_told(stage: Stage) -> None:
    ids = [await stage.publish(f"Number {number}.") for number in range(2)]
    page = await stage.open(stage.put(attributes='limit="1" lang="de"'))
    told = expect(shown(page, "status"))
    await page.route(LATER, lambda route: route.abort())
    await shown(page, "more").click()
    await told.to_have_text("Kommentare sind nicht verfügbar.")
    await page.unroute(LATER)
    await page.route("**/v1/sites/blog/comments?*", lambda route: route.fulfill(status=503, body="{}"))
    await page.evaluate(f"location.hash = 'comment-{ids[1]}'")
    await told.to_have_text("Kommentare sind nicht verfügbar.")
    await fill(page)
    await field(page, "url").fill("ftp://x.example")
    await send(page)
    await expect(shown(page, "error")).to_contain_text("Es werden nur Webadressen")
    for status, type_, said in (
        (500, "internal", "Das hat nicht geklappt."),
        (413, "body-too-large", "Der Text ist zu lang: Höchstens 10.000"),
    ):
        await field(page, "url").fill("")
        await refuse(page, status, type_)
        await send(page)
        await expect(shown(page, "summary")).to_contain_text(said)
        await expect(shown(page, "summary")).not_to_contain_text("English.")


async def refuse(page: Page, status: int, type_: str) -> None:
    """Let what is sent from now on be refused in English."""
    problem = {"type": f"/problems/{type_}", "detail": "English."}

    async def answer(route: Route) -> None:
        await route.fulfill(status=status, json=problem)

    await page.route("**/v1/sites/blog/comments", answer)
