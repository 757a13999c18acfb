"""The same comments and the same form for readers whose browser runs no script."""

from playwright.async_api import Page, expect

from tests.browser.stage import SITE, WIDGET, Stage, shown
from tests.processes import REPOSITORY


async def include(stage: Stage) -> str:
    """Give the fragment, as a site's own server takes it into a page."""
    answer = await stage.api.get(f"/v1/sites/{SITE}/comments.html", params={"article": stage.article})
    assert answer.status_code == 200, answer.text
    return answer.text


async def open_included(stage: Stage) -> Page:
    page = await stage.blank(java_script_enabled=False)
    html = f"<!doctype html><html lang=en><title>Post</title><{WIDGET}>{await include(stage)}</{WIDGET}>"
    await page.goto(stage.pages.put(stage.article, html, {}))
    return page


async def type_into(page: Page, text: str, email: str = "dave@mail.example") -> None:
    await page.locator("[name=text]").fill(text)
    await page.locator("[name=name]").fill("Dave")
    await page.locator("[name=email]").fill(email)


async def test_a_comment_leads_to_its_receipt(stage: Stage) -> None:
    await stage.publish("First!")
    page = await open_included(stage)
    await expect(page.locator("[part~=text]")).to_have_text("First!")
    await type_into(page, "Second!")
    await page.get_by_role("button", name="Post comment").click()
    await expect(page).to_have_url(f"{stage.url}/receipts/{page.url.rpartition('/')[2]}")
    await expect(page.get_by_role("status")).to_contain_text("awaiting moderation")
    assert [one["text"] for one in await stage.pending()] == ["Second!"]


async def test_what_is_wrong_is_told_with_all_that_was_typed(stage: Stage) -> None:
    page = await open_included(stage)
    await page.locator("form").evaluate("form => form.setAttribute('novalidate', '')")
    await type_into(page, "Second!", email="dave@gmail,com")
    await page.get_by_role("button", name="Post comment").click()
    await expect(page.locator("[name=text]")).to_have_value("Second!")
    await expect(page.locator("[name=email]")).to_have_value("dave@gmail,com")
    await expect(page.locator("#email-error")).to_contain_text("gmail.com")
    await page.locator("[name=email]").fill("dave@gmail.com")
    await page.get_by_role("button", name="Post comment").click()
    await expect(page.get_by_role("status")).to_contain_text("awaiting moderation")


async def test_an_answer_has_a_page_of_its_own(stage: Stage) -> None:
    comment = await stage.publish("A question?")
    page = await open_included(stage)
    await page.get_by_role("link", name="Reply to Ann").click()
    await expect(page.get_by_role("heading", name="Reply to Ann")).to_be_visible()
    await type_into(page, "An answer.")
    await page.get_by_role("button", name="Post comment").click()
    await expect(page.get_by_role("status")).to_contain_text("awaiting moderation")
    assert [one["parent"] for one in await stage.pending()] == [comment]


async def test_a_frame_tells_how_high_it_is_and_its_form_takes_the_whole_window(
    stage: Stage,
) -> None:
    await stage.publish("A question?")
    source = f"{stage.url}/v1/sites/{SITE}/comments.html?article={stage.article}&amp;view=page"
    html = f'<!doctype html><title>Post</title><iframe src="{source}" title="Comments"></iframe>'
    page = await stage.blank()
    await page.add_init_script("addEventListener('message', ({ data }) => { window.told = data; })")
    await page.goto(stage.pages.put(stage.article, html, {}))
    await page.wait_for_function("window.told?.greenroom === 'height' && window.told.height > 300")
    frame = page.frame_locator("iframe")
    await expect(frame.locator("[part~=text]")).to_have_text("A question?")
    await frame.locator("[name=text]").fill("Framed.")
    await frame.locator("[name=name]").fill("Dave")
    await frame.locator("[name=email]").fill("dave@mail.example")
    await frame.get_by_role("button", name="Post comment").click()
    await expect(page.get_by_role("status")).to_contain_text("awaiting moderation")
    assert page.url.startswith(f"{stage.url}/receipts/")


async def test_the_documented_frame_is_as_high_as_the_comments(stage: Stage) -> None:
    snippet = (REPOSITORY / "docs" / "embedding" / "examples" / "frame.html").read_text()
    snippet = snippet.replace("https://talk.example", stage.url)
    snippet = snippet.replace("article=/posts/hello", f"article={stage.article}")
    page = await stage.blank()
    html = f"<!doctype html><title>Post</title>{snippet}"
    await page.goto(stage.pages.put(stage.article, html, {}))
    await page.wait_for_function("document.getElementById('comments').height !== '600'")
    height = await page.locator("iframe").get_attribute("height")
    # What any other window says is not taken.
    await page.evaluate("postMessage({ greenroom: 'height', height: 7 }, '*')")
    await page.evaluate("new Promise((resolve) => setTimeout(resolve))")
    await expect(page.locator("iframe")).to_have_attribute("height", str(height))


async def test_nobody_else_may_frame_it(stage: Stage) -> None:
    source = f"{stage.url}/v1/sites/{SITE}/comments.html?article={stage.article}&amp;view=page"
    page = await stage.blank()
    html = f'<!doctype html><title>Elsewhere</title><iframe src="{source}" title="Comments"></iframe>'
    url = stage.pages.put("/elsewhere", html, {}).replace("localhost", "127.0.0.1")
    await page.goto(url)
    await expect(page.frame_locator("iframe").locator("[part~=form]")).to_have_count(0)


async def test_the_widget_takes_the_place_of_what_was_included(stage: Stage) -> None:
    await stage.publish("First!")
    page = await stage.open(stage.put(await include(stage)))
    await expect(shown(page, "text")).to_have_text("First!")
    await expect(shown(page, "choice")).to_be_visible()
