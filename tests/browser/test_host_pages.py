"""The widget on pages with a life of their own: `<base>`, scripts that move things, keys of others."""

import pytest
from playwright.async_api import expect

from tests.browser.holding import Held
from tests.browser.stage import SITE, WIDGET, Stage, fill, send, shown
from tests.browser.test_looks import talk

pytestmark = pytest.mark.more


async def test_no_member_of_an_html_element_is_hidden_by_one_of_ours(stage: Stage) -> None:
    page = await stage.open()
    await expect(shown(page, "form")).to_be_visible()
    ours = await page.evaluate(
        """() => ["greenroom-comments", "greenroom-count"].flatMap((name) => {
          const element = document.createElement(name);
          const known = (key) => key in HTMLElement.prototype;
          const members = [...Reflect.ownKeys(Object.getPrototypeOf(element)), ...Reflect.ownKeys(element),
            ...Reflect.ownKeys(document.querySelector("greenroom-comments"))];
          return members.filter((key) => key !== "constructor" && known(key)).map(String);
        })"""
    )
    assert ours == []


async def test_an_element_is_removed_moved_and_followed_as_any_other(stage: Stage) -> None:
    await talk(stage)
    page = await stage.open()
    await expect(shown(page, "text")).to_have_count(2)
    await page.locator(WIDGET).evaluate("node => node.after('behind it')")
    await expect(page.get_by_text("behind it")).to_be_visible()
    await page.locator(WIDGET).evaluate("node => document.querySelector('h1').before(node)")
    await expect(shown(page, "text")).to_have_count(2)
    await page.locator(WIDGET).evaluate("node => { window.taken = node; node.remove(); }")
    await expect(page.locator(WIDGET)).to_have_count(0)
    await page.evaluate("document.body.append(window.taken)")
    await expect(shown(page, "text")).to_have_count(2)


async def test_two_of_them_on_one_page_keep_apart(stage: Stage) -> None:
    await talk(stage)
    other = f'<{WIDGET} site="{SITE}" article="{stage.article}-other"></{WIDGET}>'
    page = await stage.open(stage.put(beside=other))
    first, second = page.locator(WIDGET).nth(0), page.locator(WIDGET).nth(1)
    await expect(first.locator("[part~=text]:visible")).to_have_count(2)
    await second.get_by_label("Name (Required)").fill("Dave")
    await expect(first.get_by_label("Name (Required)")).to_have_value("")
    await expect(second.locator("[part~=empty]")).to_be_visible()


async def test_a_date_leads_to_its_comment_also_where_the_page_has_a_base(stage: Stage) -> None:
    first = await talk(stage)
    page = await stage.open(stage.put(head='<base href="/elsewhere/">', is_plain=True))
    await page.locator(f"{WIDGET} #comment-{first} [part~=date]").first.click()
    await expect(page.locator(f"{WIDGET} #comment-{first} > [part~=comment]")).to_be_focused()
    assert page.url == f"{stage.pages.origin}{stage.article}#comment-{first}"


@pytest.mark.parametrize("lang", ["en_US", "en-US.UTF-8", "klingon", "", "x-pig-latin", "de-DE@euro"])
async def test_any_language_that_a_page_may_name_does(stage: Stage, lang: str) -> None:
    await talk(stage)
    count = f'<greenroom-count site="{SITE}" article="{stage.article}">?</greenroom-count>'
    page = await stage.open(stage.put(lang=lang, beside=count))
    await expect(shown(page, "text")).to_have_count(2)
    await expect(page.locator("greenroom-count")).to_have_text("2")
    spoken = "de" if lang.startswith("de") else "en"
    await expect(page.locator(f"{WIDGET} section")).to_have_attribute("lang", spoken)


async def test_the_article_may_be_that_of_the_address_wherever_a_script_leads(stage: Stage) -> None:
    await talk(stage)
    page = await stage.open(stage.put(article="auto"))
    await expect(shown(page, "text")).to_have_count(2)
    await page.evaluate("history.pushState(null, '', '/another#here')")
    await expect(shown(page, "empty")).to_be_visible()
    await page.go_back()
    await expect(shown(page, "text")).to_have_count(2)


async def test_a_canonical_link_that_is_not_the_site_s_gives_way_to_the_address(
    stage: Stage,
) -> None:
    await talk(stage)
    head = '<link rel="canonical" href="https://elsewhere.example/post">'
    page, told = await stage.listen(stage.put(head=head, article=None))
    await expect(shown(page, "text")).to_have_count(2)
    assert any("canonical" in line for line in told)


@pytest.mark.parametrize(
    ("attributes", "named"),
    [('article="/post"', '"site"'), ('site="nowhere" article="/post"', "/problems/not-found")],
)
async def test_what_no_second_try_would_mend_is_named_to_who_can(
    stage: Stage, attributes: str, named: str
) -> None:
    html = f'<script type="module" src="{stage.url}/embed.js"></script><{WIDGET} {attributes}></{WIDGET}>'
    page, told = await stage.listen(stage.pages.put("/wrong", f"<!doctype html>{html}", {}))
    await expect(page.get_by_role("alert")).to_have_text("Comments are not available.")
    await expect(page.get_by_role("button")).to_have_count(0)
    assert any(named in line for line in told)


async def test_a_page_from_which_nothing_is_taken_says_so_before_anybody_writes(
    stage: Stage,
) -> None:
    await talk(stage)
    # Another origin than the site's.
    elsewhere = stage.put().replace("localhost", "127.0.0.1")
    page, told = await stage.listen(elsewhere)
    await expect(shown(page, "text")).to_have_count(2)
    await expect(shown(page, "note")).to_have_text("Comments from this page are not taken here.")
    await expect(shown(page, "form")).to_have_count(0)
    assert any("is no origin of" in line for line in told)


async def test_a_count_follows_its_attributes(stage: Stage) -> None:
    await talk(stage)
    count = f'<greenroom-count site="{SITE}" article="/nothing">?</greenroom-count>'
    page = await stage.open(stage.put(beside=count))
    await expect(page.locator("greenroom-count")).to_have_text("0")
    await page.locator("greenroom-count").evaluate(
        "(node, article) => node.setAttribute('article', article)", stage.article
    )
    await expect(page.locator("greenroom-count")).to_have_text("2")


async def test_a_hundred_long_addresses_are_counted_in_requests_that_fit(stage: Stage) -> None:
    await talk(stage)
    long = "".join(
        f'<greenroom-count site="{SITE}" article="/{number}{"日本" * 40}">?</greenroom-count>'
        for number in range(120)
    )
    last = f'<greenroom-count site="{SITE}" article="{stage.article}">?</greenroom-count>'
    page = await stage.open(stage.put(beside=long + last))
    await expect(page.locator("greenroom-count")).to_have_text(["0"] * 120 + ["2"])


async def test_that_the_comments_are_on_their_way_is_said(stage: Stage) -> None:
    page = await stage.blank()
    # The rest of the page does not wait for it.
    await page.route("**/comments.html*", lambda route: None)
    await page.goto(stage.put("<p>The page's own.</p>", lang="fr"))
    await expect(shown(page, "loading")).to_have_text("Chargement des commentaires.")
    await expect(page.get_by_text("The page's own.")).to_be_visible()


async def test_what_was_written_for_one_page_is_never_sent_for_another(stage: Stage) -> None:
    page = await stage.open(stage.put(article="auto"))
    await fill(page, "For page one.")
    posts = f"**/v1/sites/{SITE}/comments"
    await page.route(posts, lambda route: route.fulfill(status=503, body="{}"))
    await send(page)
    await expect(shown(page, "summary")).to_be_visible()
    await page.unroute(posts)
    await page.evaluate("history.pushState(null, '', '/page-two')")
    await expect(shown(page, "summary")).to_have_count(0)
    text = page.locator(f"{WIDGET} [name=text]:visible")
    await expect(text).to_have_value("")
    await page.evaluate("history.back()")
    # It waits for its author, on its own page.
    await expect(text).to_have_value("For page one.")
    await send(page)
    await expect(shown(page, "held")).to_be_visible()
    assert [one["article"] for one in await stage.pending()] == [stage.article]


async def test_nothing_of_one_page_is_shown_under_another_meanwhile(stage: Stage) -> None:
    await talk(stage)
    page = await stage.open(stage.put(article="auto"))
    await expect(shown(page, "text")).to_have_count(2)
    await page.route("**/comments.html*", lambda route: None)
    await page.evaluate("history.pushState(null, '', '/page-two')")
    await expect(shown(page, "loading")).to_be_visible()
    await expect(shown(page, "form")).to_have_count(0)


async def test_a_page_of_many_discussions_can_be_written_on(stage: Stage) -> None:
    others = "".join(f'<{WIDGET} site="{SITE}" article="/other-{number}"></{WIDGET}>' for number in range(8))
    page = await stage.open(stage.put(beside=others))
    first = page.locator(WIDGET).first
    await first.get_by_label("Comment").last.fill("I like it.")
    await first.get_by_label("Name (Required)").fill("Dave")
    await first.get_by_label("E-mail").first.fill("dave@mail.example")
    await first.get_by_role("button", name="Post comment").click()
    await expect(first.locator("[part~=held]:visible")).to_contain_text("I like it.")


async def test_an_element_can_be_hidden(stage: Stage) -> None:
    page = await stage.open()
    await expect(shown(page, "form")).to_be_visible()
    await page.locator(WIDGET).evaluate("node => { node.hidden = true; }")
    await expect(page.locator(WIDGET)).to_be_hidden()


GARBAGE = {
    "object": "{}",
    "number": "5",
    "text": '"x"',
    "truth": "true",
    "list": "[null]",
    "parent": '{"parent":"\\"]"}',
    "no-json": "{",
    "no-time": '[{"id":"x","token":"x","article":"ARTICLE"}]',
    "no-name": '{"parent":"0190a5d3-0000-7000-8000-000000000000","text":{},"name":5}',
}


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_what_others_keep_under_our_names_does_no_harm(stage: Stage, garbage: str) -> None:
    await talk(stage)
    context = await stage.context()
    for key in ("own", "seen", "order", f"{stage.article}:draft"):
        item = f"'greenroom:{SITE}:{key}', {GARBAGE[garbage].replace('ARTICLE', stage.article)!r}"
        areas = "[localStorage, sessionStorage]"
        await context.add_init_script(f"for (const area of {areas}) area.setItem({item})")
    page = await stage.open(context=context)
    await expect(shown(page, "text")).to_have_count(2)
    await expect(page.locator(f"{WIDGET} [name=text]:visible")).to_have_value("")
    await expect(shown(page, "form-title")).to_have_text("Leave a reply")
    await fill(page)
    await send(page)
    await expect(shown(page, "held")).to_be_visible()


async def test_what_is_on_its_way_comes_to_where_the_element_has_been_moved(stage: Stage) -> None:
    page = await stage.open()
    await fill(page)
    async with Held(page, f"**/v1/sites/{SITE}/comments") as held:
        await send(page)
        await held.is_asked_for()
        async with page.expect_response("**/comments.html*"):
            await page.locator(WIDGET).evaluate("node => document.body.append(node)")
        await expect(page.locator(f"{WIDGET} [name=text] + [part~=counter]")).to_have_count(1)
        held.let_go()
    await expect(shown(page, "held")).to_contain_text("I like it.")
    await expect(page.locator(f"{WIDGET} [name=text]:visible")).to_have_value("")


async def test_a_link_to_a_comment_of_one_discussion_says_nothing_in_another(stage: Stage) -> None:
    ids = [await stage.publish(f"Number {number}.") for number in range(3)]
    beside = f'<{WIDGET} site="{SITE}" article="{stage.article}-other"></{WIDGET}>'
    url = stage.put(attributes='limit="1"', beside=f"<details><details>{beside}</details></details>")
    page = await stage.open(url)
    await expect(shown(page, "more")).to_be_visible()
    async with page.expect_response(lambda one: "around" in one.url and one.status == 404):
        await page.evaluate(f"location.hash = 'comment-{ids[2]}'")
    await expect(page.locator(f"#comment-{ids[2]} > [part~=comment]")).to_be_focused()
    told = page.locator(f"{WIDGET} [part~=status]:not(:empty)")
    await expect(told).to_have_count(0)


async def test_what_is_typed_is_no_shortcut_of_the_page(stage: Stage) -> None:
    page = await stage.open()
    await page.evaluate(
        """window.heard = [];
        document.addEventListener("keydown", ({ key, target }) => {
          if (!["INPUT", "TEXTAREA"].includes(target.tagName)) heard.push(key);
        });"""
    )
    await page.locator(f"{WIDGET} [name=text]:visible").press_sequentially("s/n")
    assert await page.evaluate("heard") == []
