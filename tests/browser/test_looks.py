"""The widget on pages that look otherwise than ours: dark ones, grey ones, pictures, hostile styles."""

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.browser.stage import WIDGET, Stage, shown

pytestmark = pytest.mark.more

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
    first = await stage.publish("A *question* with `code`: https://a.example", url="https://b.example")
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
    css = "body { background: #fff; color: #222; }" if theme == "dark" else "body { background: #111; }"
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


@pytest.mark.parametrize("ink", ["eee", "c9d1d9", "999"])
async def test_a_ground_that_cannot_be_seen_is_known_by_the_page_s_own_text(stage: Stage, ink: str) -> None:
    await talk(stage)
    ground = "content: ''; position: fixed; inset: 0; z-index: -1; background: #111;"
    css = f"body {{ color: #{ink}; }} body::before {{ {ground} }}"
    page = await stage.open(stage.put(head=f"<style>{css}</style>", is_plain=True))
    section = page.locator(f"{WIDGET} section")
    await expect(section).to_have_attribute("data-painted", "")
    # Text that could just be read on white has a ground of its own, if not that of the page.
    await expect(section).to_have_css("color-scheme", "light" if ink == "999" else "dark")


@pytest.mark.parametrize(("ink", "is_painted"), [("999", True), ("777", False)])
async def test_pale_text_on_a_white_page_gets_no_dark_ground(
    stage: Stage, ink: str, is_painted: bool
) -> None:
    await talk(stage)
    css = f"body {{ background: #fff; color: #{ink}; }}"
    page = await stage.open(stage.put(head=f"<style>{css}</style>", is_plain=True))
    section = page.locator(f"{WIDGET} section")
    await expect(section).to_have_css("color-scheme", "light")
    assert (await section.get_attribute("data-painted") is not None) == is_painted
    await page.locator(WIDGET).evaluate("one => one.setAttribute('theme', 'light')")
    await expect(section).not_to_have_attribute("data-painted", "")
