"""The widget, as readers meet it on a site's page."""

from playwright.async_api import Route, expect

from tests.browser.stage import SITE, WIDGET, Stage, asked_for, fill, send, shown

HELD = "Your comment is awaiting moderation."


async def test_a_comment_is_held_and_appears_when_it_is_approved(stage: Stage) -> None:
    page = await stage.open()
    await fill(page, "I *like* it.")
    await send(page)
    await expect(shown(page, "held")).to_contain_text(HELD)
    await page.reload()
    await expect(page.locator(f"{WIDGET} [part~=held] em")).to_have_text("like")
    await expect(shown(page, "count")).to_have_text("0")
    await stage.approve_all()
    await expect(page.locator(f"{WIDGET} [part~=text] em")).to_have_text("like")
    await expect(shown(page, "count")).to_have_text("1")
    await expect(shown(page, "status")).to_have_text("Your comment is published.")
    await expect(shown(page, "held")).to_have_count(0)


async def test_every_wrong_field_is_marked_and_a_suggestion_is_a_button(stage: Stage) -> None:
    page = await stage.open()
    await fill(page, "Hello.", email="dave@gmail,com")
    await page.locator(f"{WIDGET} [name=url]:visible").fill("javascript:alert(1)")
    await send(page)
    email = page.locator(f"{WIDGET} [name=email]:visible")
    await expect(email).to_have_attribute("aria-invalid", "true")
    await expect(email).to_be_focused()
    await expect(shown(page, "error")).to_have_count(2)
    await expect(shown(page, "summary")).to_have_attribute("role", "alert")
    await page.get_by_role("button", name="Did you mean gmail.com?").click()
    await expect(email).to_have_value("dave@gmail.com")
    await page.locator(f"{WIDGET} [name=url]:visible").fill("")
    await send(page)
    await expect(shown(page, "held")).to_be_visible()


async def test_a_missing_field_is_told_without_asking_the_service(stage: Stage) -> None:
    page = await stage.open()
    await expect(shown(page, "submit")).to_be_visible()
    asked = asked_for(page, f"sites/{SITE}/comments")
    await fill(page, "", name="", email="")
    await send(page)
    await expect(shown(page, "error")).to_have_text(["This field is required."] * 3)
    await expect(page.locator(f"{WIDGET} [name=text]:visible")).to_be_focused()
    # The stream of changes opens when it likes.
    assert [request for request in asked if request.method != "GET"] == []


async def test_a_mistyped_domain_can_be_mended_after_sending(stage: Stage) -> None:
    page = await stage.open()
    await fill(page, email="dave@gmial.com")
    await send(page)
    await page.get_by_role("button", name="Send it with gmail.com instead").click()
    await expect(shown(page, "doubt")).to_have_count(0)
    await expect(shown(page, "held")).to_have_count(1)
    await stage.has_pending(1)
    assert len(await stage.pending("withdrawn")) == 1


async def test_a_double_click_sends_once(stage: Stage) -> None:
    page = await stage.open()
    await fill(page)
    await shown(page, "submit").dblclick()
    await expect(shown(page, "held")).to_be_visible()
    assert len(await stage.pending()) == 1


async def test_what_was_sent_offline_goes_out_when_the_network_is_back(stage: Stage) -> None:
    context = await stage.context()
    page = await stage.open(context=context)
    await fill(page)
    await context.set_offline(True)
    await send(page)
    await expect(shown(page, "summary")).to_contain_text("There is no connection.")
    await expect(page.locator(f"{WIDGET} [name=text]:visible")).to_have_value("I like it.")
    await context.set_offline(False)
    await expect(shown(page, "held")).to_be_visible()
    assert len(await stage.pending()) == 1


async def test_an_answer_that_was_lost_doubles_nothing_even_after_a_reload(stage: Stage) -> None:
    page = await stage.open()
    await fill(page)

    async def lose(route: Route) -> None:
        await route.fetch()
        await route.abort()

    posts = f"**/v1/sites/{SITE}/comments"
    await page.route(posts, lose)
    await send(page)
    await expect(shown(page, "summary")).to_contain_text("What you typed is still here.")
    await page.unroute(posts)
    await page.reload()
    await send(page)
    await expect(shown(page, "held")).to_be_visible()
    assert len(await stage.pending()) == 1


async def test_name_and_address_are_remembered_only_on_request(stage: Stage) -> None:
    page = await stage.open()
    await fill(page)
    await send(page)
    await expect(shown(page, "held")).to_be_visible()
    kept = "JSON.stringify([{...localStorage}, {...sessionStorage}])"
    assert "dave@mail.example" not in await page.evaluate(kept)
    await fill(page, "Another one.")
    await page.get_by_label("Save my name, e-mail and website in this browser").check()
    await send(page)
    await expect(shown(page, "held")).to_have_count(2)
    await page.reload()
    await expect(page.locator(f"{WIDGET} [name=email]:visible")).to_have_value("dave@mail.example")


async def test_an_author_corrects_and_withdraws(stage: Stage) -> None:
    page = await stage.open()
    await fill(page, "I liek it.")
    await send(page)
    await shown(page, "edit").click()
    editor = shown(page, "editor")
    await expect(editor.get_by_label("Your text")).to_have_value("I liek it.")
    await editor.get_by_label("Your text").fill("I like it.")
    await editor.get_by_role("button", name="Save").click()
    await expect(shown(page, "held")).to_contain_text("I like it.")
    assert [one["text"] for one in await stage.pending()] == ["I like it."]
    await stage.approve_all()
    await expect(shown(page, "text")).to_have_text("I like it.")
    await page.get_by_role("button", name="Withdraw").click()
    await page.get_by_role("button", name="Withdraw").click()
    await expect(shown(page, "comment")).to_have_count(0)
    await expect(shown(page, "count")).to_have_text("0")


async def test_a_correction_of_a_published_comment_waits_beside_it(stage: Stage) -> None:
    page = await stage.open()
    await fill(page, "I liek it.")
    await send(page)
    await expect(shown(page, "held")).to_be_visible()
    [comment] = await stage.approve_all()
    await shown(page, "edit").click()
    await shown(page, "editor").get_by_label("Your text").fill("I like it.")
    await shown(page, "editor").get_by_role("button", name="Save").click()
    await expect(shown(page, "waits")).to_contain_text("waits for a moderator")
    await expect(shown(page, "text")).to_have_text("I liek it.")
    await stage.decide("approve", comment)
    await expect(shown(page, "text")).to_have_text("I like it.")
    await expect(shown(page, "edited")).to_be_visible()


async def test_a_rejected_author_is_told_so(stage: Stage) -> None:
    page = await stage.open()
    await fill(page)
    await send(page)
    await expect(shown(page, "held")).to_be_visible()
    [comment] = [one["id"] for one in await stage.pending()]
    await stage.decide("reject", comment)
    await page.reload()
    await expect(shown(page, "held")).to_contain_text("Your comment was not published.")
    await page.get_by_role("button", name="Dismiss").click()
    await expect(shown(page, "held")).to_have_count(0)


async def test_counts_of_a_page_are_asked_for_together(stage: Stage) -> None:
    await stage.publish("One.")
    page = await stage.blank()
    asked = asked_for(page, "/v1/sites/")
    counts = "".join(
        f'<greenroom-count site="{SITE}" article="{article}">?</greenroom-count>'
        for article in (stage.article, "/nothing", stage.article)
    )
    html = f'<!doctype html><script type="module" src="{stage.url}/embed.js"></script>{counts}'
    await page.goto(stage.pages.put("/counts", html, {"Content-Security-Policy": stage.policy}))
    await expect(page.locator("greenroom-count")).to_have_text(["1", "0", "1"])
    assert len(asked) == 1


async def test_a_site_s_own_script_hears_of_everything(stage: Stage) -> None:
    page = await stage.open()
    await page.evaluate(
        """window.heard = [];
        for (const name of ["submitted", "approved", "refused"])
          document.addEventListener(`greenroom:${name}`,
            (event) => heard.push([name, JSON.stringify(event.detail)]));
        """
    )
    await fill(page, email="nobody")
    await send(page)
    await expect(shown(page, "error")).to_be_visible()
    await fill(page)
    await send(page)
    await expect(shown(page, "held")).to_be_visible()
    await stage.approve_all()
    await expect(shown(page, "text")).to_be_visible()
    heard = await page.evaluate("heard")
    assert [name for name, _ in heard] == ["refused", "submitted", "approved"]
    assert "mail.example" not in str(heard)


async def test_where_the_service_is_gone_the_page_s_own_content_stays(stage: Stage) -> None:
    url = stage.put("<p>There are comments elsewhere.</p>", lang="de")
    page = await stage.blank()
    await page.route("**/comments.html*", lambda route: route.abort())
    await page.goto(url)
    await expect(page.get_by_role("alert")).to_contain_text("Kommentare sind nicht verfügbar")
    await expect(page.get_by_text("There are comments elsewhere.")).to_be_visible()
    await page.unroute("**/comments.html*")
    await page.get_by_role("alert").get_by_role("button").click()
    await expect(shown(page, "form")).to_be_visible()


async def test_what_is_typed_while_a_comment_is_on_its_way_stays(stage: Stage) -> None:
    page = await stage.open()
    await fill(page, "The first.")
    held: list[Route] = []
    posts = f"**/v1/sites/{SITE}/comments"
    await page.route(posts, lambda route: held.append(route))
    async with page.expect_request(posts):
        await send(page)
    await page.locator(f"{WIDGET} [name=text]:visible").fill("The second.")
    await held[0].continue_()
    await expect(shown(page, "held")).to_contain_text("The first.")
    await expect(page.locator(f"{WIDGET} [name=text]:visible")).to_have_value("The second.")


async def test_a_comment_that_is_sent_again_leaves_the_next_one_alone(stage: Stage) -> None:
    page = await stage.open()
    await fill(page, "The first.", email="dave@gmial.com")
    await send(page)
    await expect(shown(page, "doubt")).to_be_visible()
    await page.locator(f"{WIDGET} [name=text]:visible").fill("The second.")
    await page.get_by_role("button", name="Send it with gmail.com instead").click()
    await expect(shown(page, "doubt")).to_have_count(0)
    await expect(shown(page, "held")).to_contain_text("The first.")
    await expect(page.locator(f"{WIDGET} [name=text]:visible")).to_have_value("The second.")
    await expect(page.locator(f"{WIDGET} [name=email]:visible")).to_have_value("dave@gmail.com")


async def test_an_element_may_get_its_article_later(stage: Stage) -> None:
    await stage.publish("First!")
    html = f'<!doctype html><script type="module" src="{stage.url}/embed.js"></script><{WIDGET}></{WIDGET}>'
    page = await stage.open(stage.pages.put("/later", html, {}))
    for name, value in (("article", stage.article), ("site", SITE)):
        await page.locator(WIDGET).evaluate(f"node => node.setAttribute('{name}', '{value}')")
    await expect(shown(page, "text")).to_have_text("First!")


async def test_the_longest_number_of_a_list_has_room(stage: Stage) -> None:
    await stage.publish("123456789. One\n123456790. Two")
    page = await stage.open()
    item = page.locator(f"{WIDGET} [part~=text] li").first
    await expect(item).to_have_text("One")
    # The number stands before the word: where that begins, there has to be as much room.
    left = await item.evaluate(
        """item => {
          const range = document.createRange();
          range.selectNodeContents(item);
          const text = item.closest("[part~=text]");
          return range.getBoundingClientRect().left - text.getBoundingClientRect().left;
        }"""
    )
    digits = await item.evaluate(
        "item => { item.textContent = '123456789.'; item.style.cssText = 'display: inline-block';"
        " return item.getBoundingClientRect().width; }"
    )
    assert left > digits
