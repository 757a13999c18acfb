"""Answers that are kept back until a test lets them go."""

import asyncio
from types import TracebackType
from typing import Self

from playwright.async_api import Page, Route

LATER = "**/embed-later.js*"
"""The second script."""


class Held:
    """Keeps back what a page asks for under a pattern until it is let go, or left."""

    def __init__(self, page: Page, pattern: str, method: str = "") -> None:
        self._page, self._pattern, self._method = page, pattern, method
        self._gate, self._asked = asyncio.Event(), asyncio.Event()

    async def hold(self) -> None:
        self._gate.clear()
        await self._page.route(self._pattern, self._wait)

    async def __aenter__(self) -> Self:
        await self.hold()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._gate.set()

    async def _wait(self, route: Route) -> None:
        if self._method in ("", route.request.method):
            self._asked.set()
            await self._gate.wait()
        await route.continue_()

    async def is_asked_for(self) -> None:
        await self._asked.wait()

    def let_go(self) -> None:
        self._gate.set()
