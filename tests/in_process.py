"""The service inside a test: its time, and its start and end without a server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from litestar.types import ASGIApp

START = datetime(2026, 5, 1, 12, tzinfo=UTC)


class SettableClock:
    """The service's clock, which stands still until told otherwise."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def microseconds(self) -> int:
        """Give the time as the limiter counts it, so that a slow test uses up nobody's limit."""
        return int(self.now.timestamp() * 1_000_000)

    def advance(self, **duration: float) -> None:
        """Let time pass: `advance(days=1, seconds=5)`, in the units of a timedelta."""
        self.now += timedelta(**duration)


@asynccontextmanager
async def alive(app: ASGIApp) -> AsyncIterator[None]:
    """Start an ASGI app up and shut it down, as a server does (ASGI lifespan protocol, version 2)."""
    received: asyncio.Queue[Any] = asyncio.Queue()
    sent: asyncio.Queue[Any] = asyncio.Queue()
    scope: Any = {
        "type": "lifespan",
        "asgi": {"version": "3.0", "spec_version": "2.0"},
        "state": {},
    }
    running = asyncio.ensure_future(app(scope, received.get, sent.put))

    async def go_through(phase: str) -> None:
        await received.put({"type": f"lifespan.{phase}"})
        answer = await sent.get()
        assert answer["type"] == f"lifespan.{phase}.complete", answer

    try:
        await go_through("startup")
        try:
            yield
        finally:
            await go_through("shutdown")
    finally:
        await running
