"""All that happens to a service in the course of a day, and how often."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.benchmarks.callers import CUT, Callers, pick, repeat, somewhere
from tests.installation import COMMENTS, SITE, Installation

CLIENTS = 8
HOT = "/hot"
# Articles that are asked for now and then, and so mostly have to be read.
COLD = 200
PAGES = (f"{COMMENTS}?article={HOT}", f"{COMMENTS}?article={HOT}&order=newest")
DECISIONS, CLAIMS = "/v1/moderation/decisions", "/v1/moderation/claims"
QUEUE = "/v1/moderation/comments"
ACTIONS = ("approve", "approve", "approve", "reject", "spam")
# A stream lasts for some of these seconds, and its reader goes away without a word.
STREAM_SECONDS = (2.0, 20.0)
JSON = {"content-type": "application/json"}
# Requests that are refused.
BAD: Sequence[tuple[str, str, Mapping[str, str], bytes]] = (
    ("POST", COMMENTS, JSON, b'{"article": '),
    ("POST", COMMENTS, JSON, b"{}"),
    ("POST", COMMENTS, {"content-type": "text/plain"}, b"hello"),
    ("POST", COMMENTS, {**JSON, "origin": "https://elsewhere.example"}, b"{}"),
    ("POST", COMMENTS, JSON, b" " * 1_100_000),
    ("PUT", COMMENTS, JSON, b"{}"),
    ("GET", f"{COMMENTS}?article={HOT}&limit=9999", {}, b""),
    ("GET", f"{COMMENTS}/no-such-comment", {}, b""),
    ("GET", "/v1/sites/nobody/comments?article=/a", {}, b""),
    ("GET", QUEUE, {}, b""),
    ("GET", "/nothing/here", {}, b""),
)
# What is no request at all, or none that ends.
NOISE = (b"", b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n", b"\x16\x03\x01\x00")


class Everybody(Callers):
    """Readers, commenters, moderators and strangers. Each method is one thing that one of them does."""

    def __init__(self, blog: Installation, clients: Sequence[httpx.AsyncClient]) -> None:
        super().__init__(clients)
        self.outcomes: Counter[str] = Counter()
        """What became of decisions."""
        self.events = 0
        """What came by streams."""
        self._bob = {"authorization": f"Bearer {blog.tokens['bob']}"}
        self._servers = [urlsplit(server.url) for server in blog.servers]
        self._tags: dict[str, str] = {}
        self._receipts: deque[str] = deque(maxlen=200)
        self._decisions: deque[str] = deque(maxlen=200)
        self._approved: deque[str] = deque(maxlen=200)
        self._serial = count(1)

    async def _read(self, kind: str, path: str) -> None:
        """Read what many read, with the tag of the last time at every other time."""
        known = self._tags.get(path) if pick.random() < 0.5 else None
        answer = await self.send(kind, path, headers={"if-none-match": known} if known else None)
        if answer is not None and answer.status_code == 200:
            self._tags[path] = answer.headers["etag"]

    async def hot_page(self) -> None:
        await self._read("hot page", pick.choice(PAGES))

    async def cold_page(self) -> None:
        size, place = pick.randint(1, 200), pick.randrange(COLD)
        await self.send("cold page", f"{COMMENTS}?article=/cold-{place}&limit={size}")

    async def deep_page(self) -> None:
        """Walk from the beginning of the article to a page behind it."""
        answer = await self.send("deep page", f"{PAGES[0]}&limit={pick.randint(1, 50)}")
        if answer is not None and (cursor := answer.json().get("next")):
            await self.send("deep page", f"{PAGES[0]}&limit=50&cursor={cursor}")

    async def one_comment(self) -> None:
        if self._approved:
            await self.send("one comment", f"{COMMENTS}/{pick.choice(self._approved)}")

    async def counts(self) -> None:
        wanted = "&".join(f"article=/cold-{pick.randrange(COLD)}" for _ in range(20))
        await self._read("counts", f"/v1/sites/{SITE}/counts?article={HOT}")
        await self.send("counts", f"/v1/sites/{SITE}/counts?{wanted}")

    async def feed(self) -> None:
        await self._read("feed", f"{COMMENTS}.atom{pick.choice(('', f'?article={HOT}'))}")

    async def fragment(self) -> None:
        view = pick.choice(("", "&view=page", "&lang=de", "&order=newest"))
        await self._read("fragment", f"{COMMENTS}.html?article={HOT}{view}")

    async def form(self) -> None:
        await self.send("form", f"/v1/sites/{SITE}/form?article={HOT}")

    async def stream(self) -> None:
        path, place = f"{COMMENTS}/stream", pick.choice((HOT, "/cold-1"))
        started = time.perf_counter()
        try:
            async with asyncio.timeout(pick.uniform(*STREAM_SECONDS)):
                client = pick.choice(self.clients)
                async with client.stream(
                    "GET", path, params={"article": place}, headers=somewhere()
                ) as answer:
                    self.statuses["stream", answer.status_code] += 1
                    self.took["stream"].append(time.perf_counter() - started)
                    async for line in answer.aiter_lines():
                        self.events += line.startswith("event:")
        except TimeoutError:
            pass
        except httpx.TransportError:
            self.statuses["stream", CUT] += 1

    async def submission(self) -> None:
        number = next(self._serial)
        place = HOT if number % 2 else f"/cold-{pick.randrange(COLD)}"
        fields = {"article": place, "name": f"Reader {number % 50}", "text": f"Comment {number}."}
        fields["email"] = f"reader-{number % 50}@mail.example"
        answer = await self.send("submission", COMMENTS, "POST", json=fields)
        if answer is not None and answer.status_code == 202:
            self._receipts.append(answer.json()["receipt"]["token"])

    async def receipt(self) -> None:
        if self._receipts:
            await self.send("receipt", f"/v1/receipts/{pick.choice(self._receipts)}")

    async def edit(self) -> None:
        if self._receipts:
            path, text = f"/v1/receipts/{self._receipts[-1]}", f"Better {next(self._serial)}."
            await self.send("edit", path, "PATCH", json={"text": text})

    async def withdrawal(self) -> None:
        if self._receipts:
            await self.send("withdrawal", f"/v1/receipts/{self._receipts.popleft()}", "DELETE")

    async def queue(self) -> list[dict[str, Any]]:
        path = f"{QUEUE}?site={SITE}&limit=20"
        answer = await self.send("queue", path, headers=self._bob)
        return answer.json().get("comments", []) if answer is not None else []

    async def claim(self) -> None:
        """Claim some comments and decide about them one by one, or give all of one's claims back."""
        wanted = {"site": SITE, "limit": 3, "lease_seconds": 60}
        answer = await self.send("claim", CLAIMS, "POST", self._bob, json=wanted)
        if answer is None or answer.status_code != 200 or pick.random() < 0.2:
            await self.send("claim", CLAIMS, "DELETE", self._bob)
            return
        for comment in answer.json()["comments"]:
            await self._decide("decision", [comment])

    async def batch(self) -> None:
        if waiting := await self.queue():
            await self._decide("batch of decisions", waiting)

    async def _decide(self, kind: str, comments: Sequence[Mapping[str, Any]]) -> None:
        chosen = [
            {"comment": one["id"], "version": one["version"], "action": pick.choice(ACTIONS)}
            for one in comments
        ]
        body = {"decisions": chosen}
        answer = await self.send(kind, DECISIONS, "POST", self._bob, json=body)
        if answer is None or answer.status_code != 200:
            return
        for result in answer.json()["results"]:
            self.outcomes[result["outcome"]] += 1
            if result["outcome"] == "applied":
                self._decisions.append(result["decision"])
                if result["status"] == "approved":
                    self._approved.append(result["comment"])

    async def undo(self) -> None:
        if self._decisions:
            body = {"decisions": [self._decisions.pop()]}
            await self.send("undo", "/v1/moderation/undo", "POST", self._bob, json=body)

    async def preflight(self) -> None:
        asks = {"origin": "https://blog.example", "access-control-request-method": "POST"}
        await self.send("preflight", COMMENTS, "OPTIONS", asks)

    async def bad_request(self) -> None:
        method, path, headers, body = pick.choice(BAD)
        await self.send("bad request", path, method, headers, content=body)

    async def noise(self) -> None:
        """Open a connection, say something that is no request, and go without waiting for long."""
        server = pick.choice(self._servers)
        reader, writer = await asyncio.open_connection(server.hostname, server.port)
        writer.write(pick.choice(NOISE))
        try:
            async with asyncio.timeout(0.5):
                await reader.read()
        except (TimeoutError, ConnectionError):
            pass
        writer.close()

    async def metrics(self) -> None:
        await self.send("metrics", "/metrics")

    async def readiness(self) -> None:
        await self.send("readiness", "/health/ready")


# How often a second each of these happens.
RATES: Mapping[str, float] = {
    "hot_page": 20,
    "cold_page": 6,
    "deep_page": 1,
    "one_comment": 2,
    "counts": 2,
    "feed": 2,
    "fragment": 3,
    "form": 1,
    "stream": 0.7,
    "submission": 5,
    "receipt": 0.5,
    "edit": 0.5,
    "withdrawal": 0.2,
    "claim": 0.5,
    "batch": 0.3,
    "undo": 0.3,
    "preflight": 2,
    "bad_request": 2,
    "noise": 1,
    "metrics": 0.2,
    "readiness": 0.5,
}


@asynccontextmanager
async def a_day(blog: Installation) -> AsyncIterator[Everybody]:
    """Let everything happen for as long as the block lasts, and then let all finish what they do."""
    async with blog.clients(CLIENTS) as clients:
        everybody, ending = Everybody(blog, clients), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for name, rate in RATES.items():
                group.create_task(repeat(getattr(everybody, name), rate, ending))
            try:
                yield everybody
            finally:
                ending.set()
