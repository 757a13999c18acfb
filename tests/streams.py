"""Readers of streams: of the service in the test, and of one over the network."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.cast import DAVES_IP, House
from tests.waiting import DEADLINE_SECONDS

Event = tuple[str, str]


class Feed:
    """The events of a stream as a browser takes them (HTML, section 9.2.6)."""

    def __init__(self) -> None:
        self.last_id = ""
        self.retry = 0
        self.comments = 0
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._rest = ""

    def take(self, data: bytes) -> None:
        """Take a piece of the stream, wherever it was cut."""
        *blocks, self._rest = (self._rest + data.decode()).split("\n\n")
        for block in blocks:
            self._take_block(block)

    def _take_block(self, block: str) -> None:
        fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        self.comments += block.startswith(":")
        self.last_id = fields.get("id", self.last_id)
        self.retry = int(fields.get("retry", self.retry))
        if "data" in fields:
            self.events.append((fields["event"], json.loads(fields["data"])))

    @property
    def seen(self) -> list[Event]:
        """Give each event by its name and the id of its comment."""
        return [(name, data["id"]) for name, data in self.events]


class Reader(Feed):
    """One who reads a stream of the service in the test, and goes away when told."""

    def __init__(self) -> None:
        super().__init__()
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.has_ended = False
        self.can_read = asyncio.Event()
        self.can_read.set()
        self._gone = asyncio.Event()
        self._heard = asyncio.Event()
        self._requests: deque[Any] = deque([{"type": "http.request", "body": b""}])

    async def receive(self) -> Any:
        if self._requests:
            return self._requests.popleft()
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await self.can_read.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.body += message["body"]
            self.has_ended = not message.get("more_body", False)
            if self.status == 200:
                self.take(message["body"])
        self._heard.set()

    def leave(self) -> None:
        """Close the connection."""
        self._gone.set()

    async def until(self, *events: Event) -> None:
        """Wait until exactly these events have come."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while len(self.seen) < len(events):
                self._heard.clear()
                await self._heard.wait()
        assert self.seen == list(events)

    async def begun(self) -> None:
        """Wait until the stream has begun, or was refused."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not self.body and not self.has_ended:
                self._heard.clear()
                await self._heard.wait()


@asynccontextmanager
async def following(
    house: House,
    article: str = "/post",
    *,
    site: str = "blog",
    ip: str = DAVES_IP,
    method: str = "GET",
    last: str | None = None,
    **query: Any,
) -> AsyncIterator[Reader]:
    """Follow an article of the service in the test; at the end the reader leaves, and all is tidied up."""
    reader = Reader()
    headers = [(b"host", b"talk.example")]
    if last is not None:
        headers.append((b"last-event-id", last.encode("latin-1")))
    path = f"/v1/sites/{site}/comments/stream"
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "headers": headers,
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": urlencode({"article": article, **query}).encode(),
        "root_path": "",
        "server": ("talk.example", 443),
        "client": (ip, 1234),
    }
    running = asyncio.create_task(house.app(scope, reader.receive, reader.send))
    try:
        await reader.begun()
        yield reader
    finally:
        reader.can_read.set()
        reader.leave()
        async with asyncio.timeout(DEADLINE_SECONDS):
            await running


class Client(Feed):
    """One who reads a stream over the network, in a task of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.status = 0
        self.headers = httpx.Headers()
        self.has_ended = False

    async def read(self, answer: httpx.Response) -> None:
        try:
            async for data in answer.aiter_bytes():
                self.take(data)
        # A process that was killed ends no answer.
        except httpx.TransportError:
            pass
        finally:
            self.has_ended = True


@asynccontextmanager
async def streaming(
    client: httpx.AsyncClient, url: str, *, last: str | None = None, **query: Any
) -> AsyncIterator[Client]:
    """Follow an article over the network for as long as the block lasts."""
    reader = Client()
    headers = {"last-event-id": last} if last is not None else {}
    async with client.stream("GET", url, params=query, headers=headers, timeout=None) as answer:
        reader.status, reader.headers = answer.status_code, answer.headers
        task = asyncio.create_task(reader.read(answer))
        try:
            yield reader
        finally:
            task.cancel()
            await asyncio.wait([task])
