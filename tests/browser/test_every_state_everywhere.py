"""Every state of the widget on every kind of page: too many to look at each time, so among the long tests."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.browser.stage import Stage
from tests.browser.test_for_everybody import PAPER, STATES, picture
from tests.browser.test_looks import HOSTILE

# What the page is like, and then what the browser is like.
PLACES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "dark_page": (
        {"head": "<style>body { background: #101418; color: #eee; }</style>", "is_plain": True},
        {},
    ),
    "light_page_dark_system": (
        {"head": "<style>body { background: #fff; color: #222; }</style>", "is_plain": True},
        {"color_scheme": "dark"},
    ),
    "forced_colours": ({"head": PAPER}, {"forced_colors": "active"}),
    "narrow": ({"head": PAPER}, {"viewport": {"width": 320, "height": 640}}),
    # What is left of a screen of 1280 by 1024 at 400 %.
    "zoomed": ({"head": PAPER}, {"viewport": {"width": 320, "height": 256}}),
    "right_to_left": ({"head": PAPER, "lang": "ar"}, {}),
    "hostile": ({"head": HOSTILE, "is_plain": True}, {}),
    "base": ({"head": f'{PAPER}<base href="/elsewhere/">', "is_plain": True}, {}),
}
TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
# The page's own faults, not the comments'.
OURS = {"include": [["greenroom-comments"]]}


@pytest.mark.long
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("show", STATES, ids=lambda show: show.__name__.removeprefix("show_"))
async def test_no_rule_of_wcag_is_broken_anywhere(
    stage: Stage, show: Callable[[Stage, Page], Awaitable[None]], place: str
) -> None:
    page_options, browser_options = PLACES[place]
    url = stage.put(**page_options)
    page = await stage.open(url, bypass_csp=True, reduced_motion="reduce", **browser_options)
    await show(stage, page)
    await picture(page, f"{show.__name__}-{place}")
    is_embedded = await page.locator("greenroom-comments").count()
    # Where the system chooses the colours, axe-core goes on to take those of the style sheets for them.
    rules = {"color-contrast": {"enabled": place != "forced_colours"}}
    found = await Axe().run(page, OURS if is_embedded else None, {"rules": rules})
    # The report of the library cannot name what stands in a shadow tree.
    assert found.response["violations"] == []
    # A hostile page is too wide by itself.
    assert place == "hostile" or not await page.evaluate(TOO_WIDE)
