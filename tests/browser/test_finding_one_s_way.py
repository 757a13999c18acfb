"""How readers find their way in a long discussion: order, folding, dates, new marks, the way to the form."""

import re
from datetime import UTC, datetime, timedelta

from playwright.async_api import expect

from tests.browser.stage import SITE, WIDGET, Stage, asked_for, fill, send, shown


async def test_from_the_fifth_level_on_a_reply_says_whom_it_answers(stage: Stage) -> None:
    parent = await stage.publish("Level 0.", name="Level 0")
    for level in range(1, 6):
        parent = await stage.publish(f"Level {level}.", name=f"Level {level}", parent=parent)
    page = await stage.open()
    answered = shown(page, "answered")
    await expect(answered).to_have_text(["In reply to Level 3", "In reply to Level 4"])
    await answered.last.get_by_role("link").click()
    await expect(shown(page, "comment").nth(4)).to_be_focused()
    await stage.publish("Level 6.", name="Level 6", parent=parent)
    await expect(answered.last).to_have_text("In reply to Level 5")


async def test_a_reply_says_what_it_answers_where_that_is_not_loaded(stage: Stage) -> None:
    first = await stage.publish("The first.", name="Beth")
    await stage.publish("An answer.", parent=first)
    await stage.publish("The last.", parent=first)
    page = await stage.open(stage.put(attributes='limit="1" order="newest"'))
    answered = shown(page, "answered")
    await expect(answered).to_have_text("In reply to Beth")
    await shown(page, "more").click()
    await expect(answered).to_have_text(["In reply to Beth", "In reply to an earlier comment"])
    await answered.last.get_by_role("link").click()
    await expect(page.locator(f"{WIDGET} #comment-{first} > [part~=comment]")).to_be_focused()
    await expect(answered).to_have_count(0)


async def test_a_link_finds_its_comment_wherever_in_the_list_it_stands(stage: Stage) -> None:
    ids = [await stage.publish(f"Comment {number}.") for number in range(9)]
    url = stage.put(attributes='limit="3"')
    page = await stage.open(f"{url}#comment-{ids[5]}")
    wanted = page.locator(f"{WIDGET} #comment-{ids[5]} > [part~=comment]")
    await expect(wanted).to_be_focused()
    await expect(wanted).to_be_in_viewport()
    seen = ["Comment 4.", "Comment 5.", "Comment 6."]
    await expect(shown(page, "text")).to_have_text(seen)
    await page.get_by_role("button", name="Previous comments").click()
    await expect(shown(page, "text")).to_have_count(6)
    await page.get_by_role("button", name="Previous comments").click()
    await page.get_by_role("button", name="More comments").click()
    await expect(shown(page, "text")).to_have_text([f"Comment {number}." for number in range(9)])
    await page.evaluate(f"location.hash = 'comment-{ids[0]}'")
    await expect(page.locator(f"{WIDGET} #comment-{ids[0]} > [part~=comment]")).to_be_focused()


async def test_a_link_to_a_comment_that_is_gone_says_so(stage: Stage) -> None:
    gone = await stage.publish("Gone.")
    await stage.decide("reject", gone)
    await stage.publish("Here.")
    page = await stage.open(f"{stage.put()}#comment-{gone}")
    await expect(shown(page, "status")).to_have_text("This comment is no longer here.")
    await expect(shown(page, "text")).to_have_text("Here.")


async def test_what_is_typed_survives_being_led_elsewhere(stage: Stage) -> None:
    ids = [await stage.publish(f"Comment {number}.", name=f"No. {number}") for number in range(9)]
    page = await stage.open(stage.put(attributes='limit="2"'))
    await page.locator(f"{WIDGET} #comment-{ids[0]} [part~=reply]").click()
    await fill(page, "My answer.")
    await page.evaluate(f"location.hash = 'comment-{ids[7]}'")
    await expect(page.locator(f"{WIDGET} #comment-{ids[7]} > [part~=comment]")).to_be_focused()
    await expect(shown(page, "form-title")).to_have_text("Reply to No. 0")
    await send(page)
    await expect(shown(page, "held")).to_contain_text("My answer.")
    assert [one["parent"] for one in await stage.pending()] == [ids[0]]


async def test_a_page_s_limit_holds_for_what_is_loaded_later(stage: Stage) -> None:
    for number in range(5):
        await stage.publish(f"Comment {number}.")
    page = await stage.open(stage.put(attributes='limit="2"'))
    for loaded in (2, 4, 5):
        await expect(shown(page, "text")).to_have_count(loaded)
        if loaded < 5:
            await shown(page, "more").click()


async def test_readers_choose_the_order_and_keep_it(stage: Stage) -> None:
    first = await stage.publish("The first.")
    await stage.publish("Its answer.", parent=first)
    await stage.publish("Its second answer.", parent=first)
    await stage.publish("The second.")
    page = await stage.open()
    await page.get_by_label("Order of the comments").focus()
    await page.get_by_label("Order of the comments").select_option("newest")
    turned = ["The second.", "The first.", "Its answer.", "Its second answer."]
    await expect(shown(page, "text")).to_have_text(turned)
    await expect(page.get_by_label("Order of the comments")).to_be_focused()
    await page.reload()
    await expect(shown(page, "text")).to_have_text(turned)
    await stage.publish("The third.")
    await expect(shown(page, "text").first).to_have_text("The third.")


async def test_a_thread_is_folded_and_opens_for_who_is_led_into_it(stage: Stage) -> None:
    first = await stage.publish("A question?")
    answer = await stage.publish("An answer.", parent=first)
    page = await stage.open()
    fold = page.get_by_role("button", name="Replies (1)")
    await expect(fold).to_have_attribute("aria-expanded", "true")
    await fold.click()
    await expect(shown(page, "text")).to_have_text(["A question?"])
    await stage.publish("Another.", parent=first)
    fold = page.get_by_role("button", name="Replies (2)")
    await expect(fold).to_have_attribute("aria-expanded", "false")
    await page.evaluate(f"location.hash = 'comment-{answer}'")
    await expect(page.locator(f"{WIDGET} #comment-{answer} > [part~=comment]")).to_be_focused()


async def test_a_button_leads_to_the_form(stage: Stage) -> None:
    await stage.publish("A question?")
    page = await stage.open()
    await shown(page, "jump").click()
    await expect(page.locator(f"{WIDGET} [name=text]:visible")).to_be_focused()


async def test_what_came_since_the_last_visit_is_marked(stage: Stage) -> None:
    await stage.publish("Known.")
    context = await stage.context()
    page = await stage.open(context=context)
    await expect(shown(page, "text")).to_be_visible()
    await expect(shown(page, "fresh")).to_have_count(0)
    await fill(page, "My own.")
    await send(page)
    await expect(shown(page, "held")).to_be_visible()
    await page.goto("about:blank")
    await stage.approve_all()
    await stage.publish("Unknown.")
    page = await stage.open(context=context)
    await expect(shown(page, "text")).to_have_count(3)
    await expect(page.locator(f"{WIDGET} [part~=comment]:has([part~=fresh])")).to_contain_text("Unknown.")
    await page.reload()
    await expect(shown(page, "text")).to_have_count(3)
    await expect(shown(page, "fresh")).to_have_count(0)


async def test_times_are_relative_with_the_exact_one_at_hand(stage: Stage) -> None:
    await stage.publish("A question?")
    page = await stage.open()
    date = shown(page, "date").first
    await expect(date).to_have_text(re.compile("this minute|1 minute ago"))
    year = str(datetime.now(UTC).year)
    await expect(date).to_have_attribute("aria-label", re.compile(f"minute.*, .*{year}"))
    await expect(date.locator("time")).to_have_attribute("title", re.compile(year))


async def test_an_old_comment_shows_its_day(stage: Stage) -> None:
    await stage.publish("A question?")
    context = await stage.context()
    later = datetime.now(UTC) + timedelta(days=3)
    await context.clock.set_system_time(later)
    page = await stage.open(context=context)
    await expect(shown(page, "date").first).to_have_text("3 days ago")
    await context.clock.set_system_time(later + timedelta(days=40))
    await page.reload()
    await expect(shown(page, "date").first).to_have_text(re.compile(str(datetime.now(UTC).year)))


async def test_each_comment_is_an_article_with_a_heading_and_no_list_is_empty(stage: Stage) -> None:
    page = await stage.open()
    await expect(shown(page, "form")).to_be_visible()
    await expect(page.get_by_role("list")).to_have_count(0)
    first = await stage.publish("A question?", name="Beth")
    await stage.publish("An answer.", parent=first)
    await expect(page.get_by_role("article", name="Beth")).to_have_count(1)
    await expect(page.get_by_role("heading", name="Beth", level=3)).to_have_count(1)
    await expect(page.get_by_role("list")).to_have_count(2)
    await expect(page.get_by_role("region", name="Comments")).to_be_visible()
    await expect(page.get_by_role("form", name="Leave a reply")).to_be_visible()
    await stage.decide("reject", first)
    await expect(page.get_by_role("list")).to_have_count(0)


async def test_focus_stays_where_the_reader_is_when_a_comment_changes(stage: Stage) -> None:
    page = await stage.open()
    await fill(page, "I liek it.")
    await send(page)
    await expect(shown(page, "held")).to_be_focused()
    [comment] = await stage.approve_all()
    await expect(shown(page, "text")).to_be_visible()
    await expect(shown(page, "comment")).to_be_focused()
    await stage.api.get(f"/v1/sites/{SITE}/comments/{comment}")
    await shown(page, "reply").focus()
    await shown(page, "edit").click()
    await shown(page, "editor").get_by_label("Your text").fill("I like it.")
    await shown(page, "editor").get_by_role("button", name="Save").click()
    await expect(shown(page, "waits")).to_be_visible()
    await shown(page, "reply").focus()
    await stage.decide("approve", comment)
    await expect(shown(page, "text")).to_have_text("I like it.")
    await expect(shown(page, "reply")).to_be_focused()


async def test_who_reads_a_comment_that_goes_is_led_to_the_next_one(stage: Stage) -> None:
    first = await stage.publish("The first.")
    await stage.publish("The second.")
    page = await stage.open()
    await page.locator(f"{WIDGET} #comment-{first} [part~=reply]").focus()
    await stage.decide("reject", first)
    await expect(shown(page, "text")).to_have_count(1)
    await expect(shown(page, "comment")).to_be_focused()


async def test_a_comment_that_is_approved_late_comes_where_it_belongs(stage: Stage) -> None:
    late = await stage.submit("Approved late.")
    for number in range(3):
        await stage.publish(f"Comment {number}.")
    page = await stage.open(stage.put(attributes='limit="2"'))
    asked = asked_for(page, "counts")
    await stage.decide("approve", late["id"])
    await expect(shown(page, "text")).to_have_text(["Approved late.", "Comment 0.", "Comment 1."])
    await expect(shown(page, "count")).to_have_text("4")
    await expect(shown(page, "more")).to_have_text("More comments")
    assert len(asked) == 1
