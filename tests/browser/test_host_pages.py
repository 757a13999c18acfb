"""The widget on pages that are not as ours: dark ones, hostile styles, `<base>`, scripts that move things."""

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.browser.stage import SITE, WIDGET, Stage, fill, send, shown

HOSTILE = """
<style>
  html { font-size: 62.5%; }
  body { font-size: 16px; white-space: pre; text-transform: uppercase; letter-spacing: 4px; text-indent: 3em;
    word-spacing: 9px; line-height: 3; text-align: right; font-style: italic; font-variant: small-caps;
    font-weight: 900; text-shadow: 2px 2px red; cursor: wait; word-break: break-all; hyphens: auto; }
  * { margin: 9px !important; color: lime; list-style: square !important; }
  h1, h2, h3, button, input { transform: rotate(9deg); background: magenta; }
</style>
"""
LEAKING = {
    "white-space": "normal",
    "text-transform": "none",
    "letter-spacing": "normal",
    "word-spacing": "0px",
    "text-indent": "0px",
    "text-align": "start",
    "text-shadow": "none",
    "font-style": "normal",
    "font-variant-caps": "normal",
    "word-break": "normal",
    "cursor": "auto",
    "transform": "none",
}
# How a page is painted, and what the reader's system prefers.
PAINTED = {
    "dark": ("html { background: #111; color: #eee; }", "light"),
    "dark-body": ("body { background: rgb(20 24 28); color: white; }", "light"),
    "dark-translucent": (
        "html { background: #000; } main { background: #ffffff08; color: #ccc; }",
        "light",
    ),
    "dark-oklch": ("body { background: oklch(0.2 0.02 260); color: oklch(0.9 0 0); }", "light"),
    "light-under-a-dark-system": ("body { background: #fff; color: #222; }", "dark"),
    "nothing-said-under-a-dark-system": ("", "dark"),
    "grey": ("body { background: #777; color: #000; }", "light"),
    "picture": (
        "body { background: linear-gradient(#012, #345); color: #fff; }",
        "light",
    ),
}


async def see_contrast(page: Page) -> Any:
    """Give what axe-core says against the colours of the widget."""
    only = {"runOnly": ["color-contrast"]}
    return await Axe().run(page, context=WIDGET, options=only)


async def talk(stage: Stage) -> str:
    """Have a thread with all that comments are made of; gives the first one's id."""
    first = await stage.publish(
        "A *question* with `code`: https://a.example", url="https://b.example"
    )
    await stage.publish("> A question\n\nAn answer.", parent=first)
    return first


@pytest.mark.parametrize("kind", PAINTED)
async def test_the_colours_are_readable_on_any_page(stage: Stage, kind: str) -> None:
    await talk(stage)
    css, scheme = PAINTED[kind]
    url = stage.put(head=f"<style>{css}</style>", is_plain=True)
    page = await stage.open(url, color_scheme=scheme, bypass_csp=True)
    await expect(shown(page, "text")).to_have_count(2)
    found = await see_contrast(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
async def test_a_theme_is_readable_on_the_wrong_page_too(stage: Stage, theme: str) -> None:
    await talk(stage)
    css = (
        "body { background: #fff; color: #222; }"
        if theme == "dark"
        else "body { background: #111; }"
    )
    url = stage.put(head=f"<style>{css}</style>", attributes=f'theme="{theme}"', is_plain=True)
    page = await stage.open(url, color_scheme="dark", bypass_csp=True)
    await expect(shown(page, "text")).to_have_count(2)
    found = await see_contrast(page)
    assert found.violations_count == 0, found.generate_report()


async def test_a_page_that_turns_dark_takes_the_comments_along(stage: Stage) -> None:
    await talk(stage)
    css = "<style>body { background: #fff; } .night { background: #111; color: #eee; }</style>"
    page = await stage.open(stage.put(head=css, is_plain=True), bypass_csp=True)
    section = page.locator(f"{WIDGET} section")
    await expect(section).to_have_css("color-scheme", "light")
    await page.evaluate("document.body.className = 'night'")
    await expect(section).to_have_css("color-scheme", "dark")
    found = await see_contrast(page)
    assert found.violations_count == 0, found.generate_report()


async def test_no_style_of_the_page_leaks_in_but_its_font(stage: Stage) -> None:
    await talk(stage)
    page = await stage.open(stage.put(head=HOSTILE, is_plain=True), bypass_csp=True)
    for part in ("text", "reply", "name", "submit", "label", "title"):
        one = shown(page, part).first
        for name, value in LEAKING.items():
            if (part, name) in {("reply", "cursor"), ("submit", "cursor"), ("label", "cursor")}:
                continue
            # A button's own.
            if name == "text-align" and part in {"reply", "submit"}:
                value = "center"
            await expect(one, f"{name} of {part}").to_have_css(name, value)
    await expect(shown(page, "text").first).to_have_css("font-size", "16px")


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


@pytest.mark.parametrize(
    "lang", ["en_US", "en-US.UTF-8", "klingon", "", "x-pig-latin", "de-DE@euro"]
)
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
    assert any("no origin of the site" in line for line in told)


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
    page = await (await stage.context()).new_page()
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
    others = "".join(
        f'<{WIDGET} site="{SITE}" article="/other-{number}"></{WIDGET}>' for number in range(8)
    )
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


async def test_a_page_s_registered_properties_are_not_ours(stage: Stage) -> None:
    await talk(stage)
    names = ("ink", "soft", "paper", "card", "line", "accent", "danger", "focus")
    css = "".join(
        f"@property --{name} {{ syntax: '<color>'; inherits: false; initial-value: yellow; }}"
        for name in names
    )
    page = await stage.open(stage.put(head=f"<style>{css}</style>", is_plain=True), bypass_csp=True)
    await expect(shown(page, "text")).to_have_count(2)
    found = await see_contrast(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("garbage", ["{}", "5", '"x"', "true", "[null]", '{"parent":"\\"]"}', "{"])
async def test_what_others_keep_under_our_names_does_no_harm(stage: Stage, garbage: str) -> None:
    await talk(stage)
    context = await stage.context()
    keys = ("own", "seen", "order", f"{stage.article}:draft")
    for key in keys:
        await context.add_init_script(
            f"for (const area of [localStorage, sessionStorage]) area.setItem('greenroom:{SITE}:{key}', {garbage!r})"
        )
    page = await stage.open(context=context)
    await expect(shown(page, "text")).to_have_count(2)
    await fill(page)
    await send(page)
    await expect(shown(page, "held")).to_be_visible()


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


async def test_a_style_sheet_that_comes_late_is_heeded(stage: Stage) -> None:
    await talk(stage)
    page = await stage.open(stage.put(is_plain=True), bypass_csp=True)
    section = page.locator(f"{WIDGET} section")
    await expect(section).to_have_css("color-scheme", "light")
    await page.evaluate(
        """{ const sheet = new CSSStyleSheet();
        sheet.replaceSync("body { background: #111; color: #eee; }");
        document.adoptedStyleSheets = [sheet]; }"""
    )
    await expect(section).to_have_css("color-scheme", "dark")


async def test_a_ground_that_cannot_be_seen_is_known_by_the_page_s_own_text(stage: Stage) -> None:
    await talk(stage)
    css = "body { color: #eee; } body::before { content: ''; position: fixed; inset: 0; z-index: -1; background: #111; }"
    page = await stage.open(stage.put(head=f"<style>{css}</style>", is_plain=True))
    await expect(page.locator(f"{WIDGET} section")).to_have_attribute("data-painted", "")
    await expect(page.locator(f"{WIDGET} section")).to_have_css("color-scheme", "dark")
