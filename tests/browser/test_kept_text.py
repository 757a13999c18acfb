"""Nothing that somebody typed is lost, whatever happens."""

from playwright.async_api import Locator, Page, Route, expect

from tests.browser.stage import SITE, WIDGET, Stage, fill, send, shown


def typed(page: Page, name: str = "text") -> Locator:
    return page.locator(f"{WIDGET} [name={name}]:visible")


async def expect_kept(page: Page, text: str = "I like it.") -> None:
    await expect(typed(page)).to_have_value(text)
    await expect(typed(page, "name")).to_have_value("Dave")
    await expect(typed(page, "email")).to_have_value("dave@mail.example")


async def test_a_reload_before_sending_keeps_it(stage: Stage) -> None:
    comment = await stage.publish("A question?")
    page = await stage.open()
    await fill(page)
    await shown(page, "reply").click()
    await page.reload()
    await expect_kept(page)
    await expect(page.locator(f"{WIDGET} #comment-{comment} [part~=form]")).to_be_visible()
    await expect(shown(page, "form-title")).to_have_text("Reply to Ann")


async def test_a_limit_keeps_it_and_says_until_when(stage: Stage) -> None:
    await stage.api.patch(f"/v1/sites/{SITE}", json={"settings": {"limit.article": "1/hour"}})
    try:
        page = await stage.open()
        await stage.submit("The first.")
        await fill(page)
        await send(page)
        await expect(shown(page, "summary")).to_contain_text("You can send it again from")
        await expect_kept(page)
    finally:
        await stage.api.patch(f"/v1/sites/{SITE}", json={"settings": {"limit.article": "off"}})


async def test_comments_that_are_closed_meanwhile_keep_it_even_after_a_reload(stage: Stage) -> None:
    page = await stage.open()
    await fill(page)
    closed = {"article": stage.article, "state": "closed"}
    answer = await stage.api.post(f"/v1/sites/{SITE}/articles", json=closed)
    assert answer.is_success, answer.text
    await send(page)
    await expect(shown(page, "summary")).to_contain_text("Comments are closed.")
    await expect_kept(page)
    await page.reload()
    await expect(shown(page, "closed")).to_have_text("Comments are closed.")
    await expect_kept(page)
    await expect(shown(page, "submit")).to_have_count(0)


async def test_a_failing_service_keeps_it(stage: Stage) -> None:
    page = await stage.open()
    await fill(page)
    posts = f"**/v1/sites/{SITE}/comments"
    await page.route(posts, lambda route: route.fulfill(status=500, body="{}"))
    await send(page)
    await expect(shown(page, "summary")).to_contain_text("What you typed is still here.")
    await expect_kept(page)


async def test_what_is_changed_while_there_is_no_network_is_not_sent_by_itself(
    stage: Stage,
) -> None:
    context = await stage.context()
    page = await stage.open(context=context)
    await fill(page)
    await context.set_offline(True)
    await send(page)
    await expect(shown(page, "summary")).to_contain_text("There is no connection.")
    await typed(page).press_sequentially(" Or")
    await expect(shown(page, "summary")).to_have_count(0)
    await expect(shown(page, "submit")).to_have_text("Post comment")
    await context.set_offline(False)
    await typed(page).press_sequentially(" not.")
    await send(page)
    await expect(shown(page, "held")).to_contain_text("I like it. Or not.")
    assert len(await stage.pending()) == 1


async def test_a_repeated_comment_is_told_and_kept(stage: Stage) -> None:
    await stage.submit("I like it.", name="Dave")
    page = await stage.open()
    await fill(page)
    await send(page)
    await expect(shown(page, "summary")).to_contain_text("has been sent here already.")
    await expect_kept(page)


async def test_a_comment_that_can_be_answered_no_more_leaves_the_answer(stage: Stage) -> None:
    comment = await stage.publish("A question?")
    page = await stage.open()
    await fill(page)
    await shown(page, "reply").click()
    await stage.decide("spam", comment)
    await expect(page.locator(f"{WIDGET} #comment-{comment}")).to_have_count(0)
    await expect_kept(page)
    await expect(shown(page, "form-title")).to_have_text("Leave a reply")


async def test_a_parent_that_vanished_unseen_is_left_out_the_next_time(stage: Stage) -> None:
    comment = await stage.publish("A question?")
    page = await stage.blank()
    await page.route("**/stream*", lambda route: route.abort())
    await page.goto(stage.put())
    await fill(page)
    await shown(page, "reply").click()
    await stage.decide("spam", comment)
    await send(page)
    await expect(shown(page, "summary")).to_contain_text("cannot be answered any more")
    await expect_kept(page)
    await send(page)
    await expect(shown(page, "held")).to_be_visible()
    assert [one["parent"] for one in await stage.pending()] == [None]


async def test_what_was_typed_before_the_script_arrived_is_kept(stage: Stage) -> None:
    inside = '<form><textarea name="text"></textarea><input name="name"><input name="email"></form>'
    page = await stage.blank()
    held: list[Route] = []
    await page.route("**/comments.html*", lambda route: held.append(route))
    async with page.expect_request("**/comments.html*"):
        await page.goto(stage.put(inside))
    await page.locator("form [name=text]").fill("I like it.")
    await page.locator("form [name=name]").fill("Dave")
    await page.locator("form [name=email]").fill("dave@mail.example")
    for route in held:
        await route.continue_()
    await expect(shown(page, "form")).to_be_visible()
    await expect_kept(page)
    await expect(typed(page, "email")).to_be_focused()


async def test_a_text_near_its_limit_is_counted_and_over_it_refused_uncut(stage: Stage) -> None:
    await stage.api.patch(f"/v1/sites/{SITE}", json={"settings": {"max_text_chars": 50}})
    try:
        page = await stage.open()
        await fill(page, "x" * 45)
        await expect(shown(page, "counter")).to_have_text("Characters left: 5")
        await typed(page).fill("x" * 60)
        await send(page)
        await expect(shown(page, "error")).to_contain_text("at most 50 characters")
        await expect_kept(page, "x" * 60)
    finally:
        await stage.api.patch(f"/v1/sites/{SITE}", json={"settings": {"max_text_chars": 10_000}})


async def test_a_correction_that_was_begun_survives_a_reload(stage: Stage) -> None:
    page = await stage.open()
    await fill(page, "I liek it.")
    await send(page)
    await shown(page, "edit").click()
    await shown(page, "editor").get_by_label("Your text").fill("I like it.")
    await page.reload()
    await shown(page, "edit").click()
    await expect(shown(page, "editor").get_by_label("Your text")).to_have_value("I like it.")
