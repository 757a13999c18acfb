"""The list of the widget: threads, pages, and what comes and goes while somebody reads."""

import pytest
from playwright.async_api import expect

from tests.browser.holding import Held
from tests.browser.stage import WIDGET, Stage, asked_for, fill, send, shown


async def test_what_somebody_else_wrote_appears_and_goes_live(stage: Stage) -> None:
    page = await stage.open()
    await expect(shown(page, "empty")).to_be_visible()
    comment = await stage.publish("First!")
    await expect(shown(page, "text")).to_have_text("First!")
    reply = await stage.publish("Second!", parent=comment)
    nested = page.locator(f"{WIDGET} #comment-{comment} [part~=replies] #comment-{reply}")
    await expect(nested).to_be_visible()
    await stage.decide("reject", reply)
    await expect(nested).to_have_count(0)
    await expect(shown(page, "count")).to_have_text("1")


async def test_a_reply_stands_under_what_it_answers(stage: Stage) -> None:
    comment = await stage.publish("A question?")
    page = await stage.open()
    await fill(page, "An answer.")
    await shown(page, "reply").click()
    await expect(shown(page, "form-title")).to_have_text("Reply to Ann")
    await send(page)
    nested = page.locator(f"{WIDGET} #comment-{comment} [part~=replies] [part~=held]")
    await expect(nested).to_contain_text("An answer.")
    assert [one["parent"] for one in await stage.pending()] == [comment]
    await expect(shown(page, "form-title")).to_have_text("Leave a reply")


async def test_fifty_comments_need_one_request_and_the_rest_another(stage: Stage) -> None:
    for number in range(60):
        await stage.submit(f"Comment {number}.")
    await stage.approve_all()
    page = await stage.blank()
    asked = asked_for(page, f"{stage.url}/v1/")
    await page.goto(stage.put())
    await expect(shown(page, "text")).to_have_count(50)
    before_paint = [one for one in asked if "/stream" not in one.url]
    assert len(before_paint) == 1
    await shown(page, "more").click()
    await expect(shown(page, "text")).to_have_count(60)
    await expect(shown(page, "text").nth(59)).to_have_text("Comment 59.")
    await expect(page.locator(f"{WIDGET} [part~=comment]").nth(50)).to_be_focused()
    await expect(shown(page, "more")).to_have_count(0)


async def test_comments_beyond_what_is_loaded_are_offered(stage: Stage) -> None:
    for number in range(3):
        await stage.submit(f"Comment {number}.")
    await stage.approve_all()
    page = await stage.open(stage.put(attributes='limit="2"'))
    await expect(shown(page, "text")).to_have_count(2)
    await stage.publish("The newest.")
    await expect(shown(page, "more")).to_contain_text("Newer comments (1)")
    await shown(page, "more").click()
    await expect(shown(page, "text")).to_have_text(["Comment 0.", "Comment 1.", "Comment 2.", "The newest."])


async def test_two_tabs_show_the_same(stage: Stage) -> None:
    context = await stage.context()
    first, second = await stage.open(context=context), await stage.open(context=context)
    await fill(first)
    await send(first)
    await expect(shown(second, "held")).to_contain_text("I like it.")
    await stage.approve_all()
    for page in (first, second):
        await page.bring_to_front()
        await expect(shown(page, "text")).to_have_text("I like it.")


async def test_an_answer_goes_where_it_says_though_its_comment_is_not_loaded(stage: Stage) -> None:
    await stage.publish("The first.")
    second = await stage.publish("The second.", name="Beth")
    page = await stage.open(stage.put(attributes='limit="1"'))
    await shown(page, "more").click()
    await page.locator(f"{WIDGET} #comment-{second} [part~=reply]").click()
    await fill(page)
    await page.reload()
    await expect(shown(page, "form-title")).to_have_text("Reply to Beth")
    await send(page)
    await expect(shown(page, "held")).to_be_visible()
    assert [one["parent"] for one in await stage.pending()] == [second]


async def test_a_draft_for_a_comment_that_is_gone_does_no_harm(stage: Stage) -> None:
    taken = await stage.submit("The first.")
    await stage.decide("approve", taken["id"])
    await stage.publish("An answer.", parent=taken["id"])
    page = await stage.open(stage.put(attributes='limit="1"'))
    await shown(page, "reply").click()
    await fill(page)
    await stage.api.delete(f"/v1/receipts/{taken['receipt']['token']}")
    await page.reload()
    await expect(shown(page, "removed")).to_be_visible()
    await expect(page.locator(f"{WIDGET} [name=text]:visible")).to_have_value("I like it.")


async def test_a_thread_that_goes_leaves_nothing_behind(stage: Stage) -> None:
    first = await stage.publish("The first.")
    await stage.publish("An answer.", parent=first)
    page = await stage.open()
    await expect(shown(page, "text")).to_have_count(2)
    await stage.decide("spam", first)
    await expect(shown(page, "comment")).to_have_count(0)
    await expect(shown(page, "count")).to_have_text("0")


async def test_what_is_not_loaded_is_counted_right(stage: Stage) -> None:
    await stage.publish("The first.")
    second = await stage.publish("The second.")
    page = await stage.open(stage.put(attributes='limit="1"'))
    await expect(shown(page, "count")).to_have_text("2")
    await stage.decide("reject", second)
    await expect(shown(page, "count")).to_have_text("1")


async def test_lists_in_comments_are_no_comments(stage: Stage) -> None:
    first = await stage.publish("Mine:\n\n- one\n- two\n\n1. three\n2. four")
    await stage.publish("Yours:\n\n- five\n- six", parent=first)
    page = await stage.open()
    await expect(shown(page, "text")).to_have_count(2)
    await expect(page.get_by_role("button", name="Replies (1)")).to_be_visible()
    await stage.publish("- seven\n- eight")
    await expect(shown(page, "text")).to_have_count(3)
    await shown(page, "reply").last.click()
    await fill(page, "- nine\n- ten")
    await send(page)
    await expect(shown(page, "held")).to_contain_text("nine")


async def test_choosing_an_order_that_cannot_be_had_leaves_what_is_shown(stage: Stage) -> None:
    await stage.publish("The first.")
    await stage.publish("The second.")
    context = await stage.context()
    page = await stage.open(context=context)
    await expect(shown(page, "text")).to_have_count(2)
    await context.set_offline(True)
    order = page.get_by_label("Order of the comments")
    await order.select_option("newest")
    await expect(shown(page, "status")).to_have_text("Comments are not available.")
    await expect(order).to_have_value("oldest")
    await expect(shown(page, "text")).to_have_text(["The first.", "The second."])


async def test_a_link_that_somebody_wrote_leads_where_it_says(stage: Stage) -> None:
    elsewhere = f"{stage.url}/problems#comment-0190a5d3-0000-7000-8000-000000000000"
    await stage.publish(f"See {elsewhere}")
    page = await stage.open()
    await shown(page, "text").get_by_role("link").click()
    await page.wait_for_url(elsewhere)


async def test_two_discussions_on_a_page_remember_both_what_was_seen(stage: Stage) -> None:
    await stage.publish("Here.")
    other = f"{stage.article}-other"
    beside = f'<{WIDGET} site="blog" article="{other}"></{WIDGET}>'
    await stage.publish("There.", article=other)
    page = await stage.open(stage.put(beside=beside))
    await expect(shown(page, "text")).to_have_count(2)
    seen = "Object.keys(JSON.parse(localStorage['greenroom:blog:seen'])).sort()"
    # Whichever came first, neither writes over the other.
    for shown_then, article in ((3, stage.article), (4, other)):
        await stage.publish("One more.", article=article)
        await expect(shown(page, "text")).to_have_count(shown_then)
        assert await page.evaluate(seen) == [stage.article, other]


async def test_the_newest_come_first_and_each_thread_is_read_from_its_beginning(
    stage: Stage,
) -> None:
    first = await stage.publish("Root.")
    for number in range(4):
        await stage.publish(f"Answer {number}.", parent=first)
    last = await stage.publish("Last.")
    page = await stage.open(stage.put(attributes='limit="2" order="newest"'))
    read = ["Last.", "Root.", *(f"Answer {number}." for number in range(4))]
    for loaded in (4, 6):
        await shown(page, "more").click()
        await expect(shown(page, "text")).to_have_count(loaded)
    await expect(shown(page, "text")).to_have_text(read)
    await page.evaluate(f"location.hash = 'comment-{last}'")
    await expect(page.locator(f"{WIDGET} #comment-{last} > [part~=comment]")).to_be_focused()


@pytest.mark.parametrize("later", ["jump", "more", "article"])
async def test_what_comes_for_an_earlier_question_is_left_out(stage: Stage, later: str) -> None:
    ids = [await stage.publish(f"Number {number}.") for number in range(6)]
    await stage.publish("Another.", article=f"{stage.article}-other")
    page = await stage.open(stage.put(attributes='limit="1"'))
    await expect(shown(page, "text")).to_have_count(1)
    first = f"**/comments?*{'around' if later == 'more' else 'cursor'}*"
    async with Held(page, first) as held:
        if later == "more":
            await page.evaluate(f"location.hash = 'comment-{ids[5]}'")
        else:
            await shown(page, "more").click()
        await held.is_asked_for()
        if later == "jump":
            await page.evaluate(f"location.hash = 'comment-{ids[4]}'")
        elif later == "more":
            await shown(page, "more").click()
        else:
            await page.locator(WIDGET).evaluate(
                f"node => node.setAttribute('article', '{stage.article}-other')"
            )
        wanted = {
            "jump": ["Number 4."],
            "more": ["Number 0.", "Number 1."],
            "article": ["Another."],
        }
        await expect(shown(page, "text")).to_have_text(wanted[later])
        async with page.expect_response(first):
            held.let_go()
    await page.evaluate("new Promise(requestAnimationFrame)")
    await expect(shown(page, "text")).to_have_text(wanted[later])
    await expect(shown(page, "count")).to_have_text("1" if later == "article" else "6")


async def test_an_answer_to_what_is_folded_away_is_seen(stage: Stage) -> None:
    first = await stage.publish("A question?")
    await stage.publish("An answer.", parent=first)
    page = await stage.open()
    await shown(page, "reply").first.click()
    await shown(page, "fold").click()
    await fill(page, "Mine.")
    await send(page)
    await expect(shown(page, "held")).to_contain_text("Mine.")
    await expect(shown(page, "held")).to_be_focused()


async def test_the_order_can_be_chosen_once_there_are_two(stage: Stage) -> None:
    await stage.publish("One.")
    page = await stage.open()
    await expect(shown(page, "text")).to_have_count(1)
    await expect(shown(page, "order")).to_have_count(0)
    await stage.publish("Two.")
    await expect(shown(page, "order")).to_be_visible()
