"""What a test of the browser acts on: a running service, a page that embeds it, and a moderator."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser, BrowserContext, CDPSession, Locator, Page, Request

from service.settings import load_settings
from tests.browser.pages import PageServer
from tests.cast import furnish
from tests.processes import find_free_port
from tests.servers import start_service
from tests.waiting import until

SITE = "blog"
WIDGET = "greenroom-comments"


class Wiped:
    """A profile of the browser for one test after the other: a new one costs as much as most tests.

    What is set in a whole context, such as its clock, stays in it; who needs that takes a context of his own.
    """

    def __init__(self, context: BrowserContext, session: CDPSession) -> None:
        self.context = context
        self._session = session

    async def wipe(self, *origins: str) -> None:
        """Close every page but the one that does this, and forget what these origins have left."""
        for page in self.context.pages[1:]:
            await page.close()
        for origin in origins:
            everything = {"origin": origin, "storageTypes": "all"}
            await self._session.send("Storage.clearDataForOrigin", everything)
        await self._session.send("Network.clearBrowserCache")
        await self.context.clear_cookies()


@dataclass
class Stage:
    """The service at `url`, pages on another origin, and the article of this test."""

    url: str
    api: httpx.AsyncClient
    browser: Browser
    pages: PageServer
    article: str = "/post"
    wiped: dict[str, Wiped] = field(default_factory=dict)
    """The profiles of all tests, by their options."""
    taken: list[str] = field(default_factory=list)
    """Those which this test has."""
    contexts: list[BrowserContext] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    """What the browser refused because of the page's policy, and errors of scripts."""

    @asynccontextmanager
    async def act(self, article: str) -> AsyncIterator["Stage"]:
        stage = replace(self, article=article, taken=[], contexts=[], complaints=[])
        yield stage
        for context in stage.contexts:
            await context.close()
        for options in stage.taken:
            await self.wiped[options].wipe(self.url, self.pages.origin)
        assert stage.complaints == []

    @property
    def policy(self) -> str:
        """Give the strictest policy that the documentation promises to do with."""
        return (
            f"default-src 'none'; script-src {self.url}; connect-src {self.url}; img-src {self.url}; "
            "base-uri 'none'; require-trusted-types-for 'script'; trusted-types greenroom"
        )

    def put(
        self,
        inside: str = "",
        *,
        attributes: str = "",
        head: str = "",
        lang: str = "en",
        beside: str = "",
        article: str | None = "",
        is_plain: bool = False,
    ) -> str:
        """Serve the article's page with the widget, in which `inside` stands; gives its URL.

        `article` None leaves the attribute out. A plain page has no policy, and says nothing of colours.
        """
        named = "" if article is None else f'article="{article or self.article}"'
        colours = "" if is_plain else '<meta name="color-scheme" content="light dark">'
        html = (
            f'<!doctype html><html lang="{lang}"><head><title>Post</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'{colours}{head}<script type="module" src="{self.url}/embed.js"></script></head>'
            f'<body><main><h1>Post</h1><{WIDGET} site="{SITE}" {named} {attributes}>{inside}</{WIDGET}>'
            f"{beside}</main></body></html>"
        )
        policy = {} if is_plain else {"Content-Security-Policy": self.policy}
        return self.pages.put(self.article, html, policy)

    async def context(self, **options: Any) -> BrowserContext:
        """Give a new profile, with which a test may do anything."""
        context = await self._make_context(options)
        self.contexts.append(context)
        return context

    async def _make_context(self, options: dict[str, Any]) -> BrowserContext:
        context = await self.browser.new_context(**options)
        context.set_default_timeout(20_000)
        return context

    async def blank(self, **options: Any) -> Page:
        """Give a page that shows nothing yet, each of a test in a browser of its own."""
        key = repr(sorted(options.items()))
        if key in self.taken:
            return await (await self.context(**options)).new_page()
        if key not in self.wiped:
            context = await self._make_context(options)
            session = await context.new_cdp_session(await context.new_page())
            self.wiped[key] = Wiped(context, session)
        self.taken.append(key)
        return await self.wiped[key].context.new_page()

    async def open(
        self, page_url: str | None = None, context: BrowserContext | None = None, **options: Any
    ) -> Page:
        """Open the article in a browser of its own, or in a new tab of `context`."""
        page = await (context.new_page() if context else self.blank(**options))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda line: self._hear(line.text))
        await page.goto(page_url or self.put())
        return page

    async def listen(self, page_url: str) -> tuple[Page, list[str]]:
        """Open a page; gives it with what the console says, which is filled as it comes."""
        page, told = await self.blank(), list[str]()
        page.on("console", lambda line: told.append(line.text))
        await page.goto(page_url)
        return page, told

    def _hear(self, line: str) -> None:
        if "Content Security Policy" in line or "Trusted" in line:
            self.complaints.append(line)

    async def submit(self, text: str, **fields: str) -> dict[str, Any]:
        """Send a comment without the browser."""
        answer = await self.api.post(f"/v1/sites/{SITE}/comments", json=self._fields(text, fields))
        assert answer.status_code == 202, answer.text
        taken: dict[str, Any] = answer.json()
        return taken

    def _fields(self, text: str, fields: dict[str, str]) -> dict[str, str]:
        return {
            "article": self.article,
            "name": "Ann",
            "email": "ann@mail.example",
            "text": text,
            **fields,
        }

    async def pending(self, status: str = "pending") -> list[dict[str, Any]]:
        """Give the article's comments of a status, as a moderator sees them."""
        query = {"site": SITE, "article": self.article, "status": status, "limit": "200"}
        answer = await self.api.get("/v1/moderation/comments", params=query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["comments"]
        return found

    async def has_pending(self, number: int) -> None:
        """Wait until so many comments of the article are pending."""

        async def is_so() -> bool:
            return len(await self.pending()) == number

        await until(is_so)

    async def decide(self, action: str, *ids: str) -> None:
        """Let the moderator decide about comments as they are now."""
        decisions = []
        for one in ids:
            version = (await self.api.get(f"/v1/moderation/comments/{one}")).json()["version"]
            decisions.append({"comment": one, "version": version, "action": action})
        for start in range(0, len(decisions), 100):
            chunk = {"decisions": decisions[start : start + 100]}
            answer = await self.api.post("/v1/moderation/decisions", json=chunk)
            assert {one["outcome"] for one in answer.json()["results"]} == {"applied"}, answer.text

    async def approve_all(self) -> list[str]:
        """Approve what is pending; gives the ids."""
        ids = [one["id"] for one in await self.pending()]
        await self.decide("approve", *ids)
        return ids

    async def publish(self, text: str, **fields: str) -> str:
        """Have a comment approved without the browser; gives its id."""
        taken = await self.submit(text, **fields)
        await self.decide("approve", taken["id"])
        return str(taken["id"])


def shown(page: Page, part: str) -> Locator:
    """Give what the reader sees of a part of the widget."""
    return page.locator(f"{WIDGET} [part~={part}]:visible")


def asked_for(page: Page, kind: str) -> list[Request]:
    """Note what a page will ask for under addresses that hold `kind`."""
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if kind in request.url else None)
    return asked


async def fill(
    page: Page, text: str = "I like it.", name: str = "Dave", email: str = "dave@mail.example"
) -> None:
    """Type into the form."""
    for field_name, value in (("text", text), ("name", name), ("email", email)):
        await page.locator(f"{WIDGET} [name={field_name}]:visible").fill(value)


async def send(page: Page) -> None:
    await shown(page, "submit").click()


@asynccontextmanager
async def open_stage(folder: Path, browser: Browser, pages: PageServer) -> AsyncIterator[Stage]:
    """Run the service for pages of another origin."""
    port = find_free_port()
    url = f"http://127.0.0.1:{port}"
    given = {"GREENROOM_PUBLIC_URL": url, "GREENROOM_DRAIN_SECONDS": "0"}
    furnished = await furnish(load_settings({"GREENROOM_DATA_DIR": str(folder / "data"), **given}))
    async with AsyncExitStack() as stack:
        stack.enter_context(start_service(folder, given, port=port))
        headers = {"Authorization": f"Bearer {furnished.tokens['alice']}"}
        api = await stack.enter_async_context(
            httpx.AsyncClient(base_url=url, headers=headers, trust_env=False)
        )
        answer = await api.patch(f"/v1/sites/{SITE}", json={"origins": [pages.origin]})
        assert answer.status_code == 200, answer.text
        yield Stage(url, api, browser, pages)
