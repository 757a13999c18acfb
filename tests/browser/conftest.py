"""A real Chromium, and pages for it on another origin than the service's, under the strictest policy."""

from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.pages import PageServer, serve_pages
from tests.browser.stage import Stage, open_stage
from tests.chromium import HOW_TO_GET, find_chromium
from tests.processes import ServerMissing

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
# Far above what anything takes: on a busy machine only what never comes meets it.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        if (program := find_chromium()) is None:
            raise ServerMissing(f"NOT TESTED: no Chromium; {HOW_TO_GET}")
        chromium = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        await chromium.close()


@pytest.fixture(scope="session")
def pages() -> Iterator[PageServer]:
    with serve_pages() as server:
        yield server


@pytest.fixture(scope="session")
async def installed(
    browser: Browser, pages: PageServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path_factory.mktemp("stage"), browser, pages) as stage:
        yield stage


@pytest.fixture
async def stage(installed: Stage, request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    """Give the running service and the browser; each test has an article of its own."""
    async with installed.act(f"/{request.node.name}") as stage:
        yield stage
