"""The cast of the API tests, and the house they act in: the whole service, run inside the test.

Alice owns the site `blog`, Bob moderates it, Vera may only look; Charlie owns `elsewhere` and is a stranger
here; Dave has no account and comments. `blog` has its rate limits off, `elsewhere` has all the defaults.
"""

import json
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, Literal

import httpx
import msgspec
from litestar.types import ASGIApp
from sqlalchemy import select, text
from sqlmodel import SQLModel

from service.accounts.rules import Role
from service.app import create_app
from service.command_line import commands
from service.comments.rules import DecisionAction
from service.database import Database
from service.errors import Problem
from service.moderation.schemas import QueuedComment, Result, Results
from service.process import start_services
from service.publication.schemas import CommentPage
from service.services import Services
from service.settings import Settings
from service.submission.schemas import Submitted
from service.telemetry.metrics import Metrics
from tests.answers import problem_of
from tests.in_process import SettableClock, alive

# Not loopback, to whom the operations routes tell more. Of the ranges for documentation (RFC 5737).
DAVES_IP = "203.0.113.7"
PUBLIC_URL = "https://talk.example"
# Where somebody on the machine itself looks at the operations routes.
LOOPBACK = ("127.0.0.1", "::1")
LOCAL_URL = "http://127.0.0.1"
SUBMIT = "/v1/sites/blog/comments"
PASSWORD = "correct horse battery"
# Written without a request of the caller's being a change: contract, "Last-used stamps".
STAMPS = frozenset({"last_used_at"})

MODERATORS = {
    "alice": ("blog", Role.OWNER),
    "bob": ("blog", Role.MODERATOR),
    "vera": ("blog", Role.VIEWER),
    "charlie": ("elsewhere", Role.OWNER),
}
State = dict[str, list[dict[str, Any]]]


class Furnished(msgspec.Struct, frozen=True):
    """A database with the cast in it and nothing else, to be copied; and the bearer tokens."""

    settings: Settings
    tokens: Mapping[str, str]


class House:
    """The running service, with the verbs of the story; `alice` … `charlie` send bearer tokens."""

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        database: Database,
        clock: SettableClock,
        tokens: Mapping[str, str],
    ) -> None:
        self.app: Any = app  # httpx and the framework spell the type of an ASGI app differently.
        self.settings = settings
        self.database = database
        self.clock = clock
        self._tokens = tokens
        self._serial = count(1)
        self.alice = self._moderator("alice")
        self.bob = self._moderator("bob")
        self.vera = self._moderator("vera")
        self.charlie = self._moderator("charlie")
        self.dave = self.client()

    def client(self, ip: str = DAVES_IP, **headers: str) -> httpx.AsyncClient:
        """Give a client without credentials and cookies that calls from an address."""
        transport = httpx.ASGITransport(self.app, client=(ip, 1234))
        base_url = LOCAL_URL if ip in LOOPBACK else PUBLIC_URL
        return httpx.AsyncClient(transport=transport, base_url=base_url, headers=headers)

    def _moderator(self, name: str) -> httpx.AsyncClient:
        return self.client(authorization=f"Bearer {self._tokens[name]}")

    async def sign_in(self, name: str) -> httpx.AsyncClient:
        """Give a browser in which a moderator is signed in by cookie, and which sends the CSRF token."""
        browser = self.client(origin=PUBLIC_URL)
        account = {"email": email_of(name), "password": PASSWORD}
        answer = await browser.post("/v1/session", json=account)
        assert answer.status_code == 200, answer.text
        browser.headers["x-csrf-token"] = answer.json()["csrf_token"]
        return browser

    def comment(self, **fields: Any) -> dict[str, Any]:
        """Give the fields of a comment by Dave under /post; each has a text of its own."""
        return {
            "article": "/post",
            "name": "Dave",
            "email": "dave@mail.example",
            "text": f"Comment {next(self._serial)}.",
            **fields,
        }

    async def try_submit(
        self,
        *,
        site: str = "blog",
        by: httpx.AsyncClient | None = None,
        headers: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> httpx.Response:
        """Send a comment as JSON and give the answer as it is."""
        # The standard library's JSON can say a lone surrogate, by its escape; that of httpx cannot.
        return await (by or self.dave).post(
            f"/v1/sites/{site}/comments",
            content=json.dumps(self.comment(**fields)),
            headers={"content-type": "application/json", **(headers or {})},
        )

    async def submit(self, **fields: Any) -> Submitted:
        """Send a comment that has to be taken."""
        answer = await self.try_submit(**fields)
        assert answer.status_code == 202, answer.text
        return msgspec.json.decode(answer.content, type=Submitted)

    async def refused(self, status: int, **fields: Any) -> Problem:
        """Send a comment that has to be refused with a status, and to leave nothing behind."""
        async with self.nothing_changes():
            answer = await self.try_submit(**fields)
        return problem_of(answer, status)

    async def publish(self, **fields: Any) -> Submitted:
        """Send a comment, and let Bob approve it."""
        submitted = await self.submit(**fields)
        await self._apply("approve", {submitted.id: 1})
        return submitted

    async def approve(self, *ids: str) -> list[Result]:
        """Let Bob approve comments as they are now."""
        return await self.decide("approve", *ids)

    async def reject(self, *ids: str, reason: str | None = None) -> list[Result]:
        """Let Bob reject comments as they are now."""
        return await self.decide("reject", *ids, reason=reason)

    async def spam(self, *ids: str, reason: str | None = None) -> list[Result]:
        """Let Bob call comments spam as they are now."""
        return await self.decide("spam", *ids, reason=reason)

    async def requeue(self, *ids: str) -> list[Result]:
        """Let Bob send comments back to the queue as they are now."""
        return await self.decide("requeue", *ids)

    async def decide(self, action: DecisionAction, *ids: str, reason: str | None = None) -> list[Result]:
        """Let Bob decide about comments as they are now; every decision has to be applied."""
        versions = {one: (await self.look(one)).version for one in ids}
        return await self._apply(action, versions, reason)

    async def _apply(
        self, action: DecisionAction, versions: Mapping[str, int], reason: str | None = None
    ) -> list[Result]:
        decisions = [
            {"comment": one, "version": version, "action": action, "reason": reason}
            for one, version in versions.items()
        ]
        answer = await self.bob.post("/v1/moderation/decisions", json={"decisions": decisions})
        assert answer.status_code == 200, answer.text
        results = msgspec.json.decode(answer.content, type=Results).results
        assert [result.outcome for result in results] == ["applied"] * len(versions), results
        return results

    async def look(self, comment_id: str) -> QueuedComment:
        """Give a comment of `blog` as Bob sees it."""
        answer = await self.bob.get(f"/v1/moderation/comments/{comment_id}")
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=QueuedComment)

    async def withdraw(self, submitted: Submitted) -> None:
        """Let its author withdraw a comment."""
        answer = await self.dave.delete(f"/v1/receipts/{submitted.receipt.token}")
        assert answer.status_code == 204, answer.text

    async def edit(self, submitted: Submitted, text: str) -> None:
        """Let its author correct a comment."""
        url = f"/v1/receipts/{submitted.receipt.token}"
        answer = await self.dave.patch(url, json={"text": text})
        assert answer.status_code == 200, answer.text

    async def read(self, article: str = "/post", *, site: str = "blog", **query: str | int) -> CommentPage:
        """Give a page of an article as the public sees it."""
        wanted = {"article": article, **query}
        answer = await self.dave.get(f"/v1/sites/{site}/comments", params=wanted)
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=CommentPage)

    async def set(self, *pairs: str, site: Literal["blog", "elsewhere"] = "blog") -> None:
        """Let the owner change settings given as on the command line: `limit.ip=10/minute`."""
        owner = self.alice if site == "blog" else self.charlie
        settings = {name: _number(value) for name, _, value in (p.partition("=") for p in pairs)}
        answer = await owner.patch(f"/v1/sites/{site}", json={"settings": settings})
        assert answer.status_code == 200, answer.text

    async def state(self) -> State:
        """Read every row of every table, but for the stamps of last use."""
        async with self.database.reading() as session:
            connection = await session.connection()
            if connection.dialect.name == "postgresql":
                # A test may be kept from running for longer than a transaction may do nothing.
                await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            return {
                table.name: [
                    {name: value for name, value in row.items() if name not in STAMPS}
                    for row in (await connection.execute(select(table))).mappings()
                ]
                for table in SQLModel.metadata.sorted_tables
            }

    @asynccontextmanager
    async def nothing_changes(self) -> AsyncIterator[None]:
        """Hold what follows to leaving every row as it was."""
        before = _in_order(await self.state())
        yield
        assert _in_order(await self.state()) == before


def email_of(name: str) -> str:
    """Give the address of a moderator of the cast."""
    return f"{name}@moderators.example"


def _number(text: str) -> str | int:
    return int(text) if text.isdigit() else text


def _in_order(state: State) -> dict[str, list[str]]:
    return {table: sorted(repr(row) for row in rows) for table, rows in state.items()}


async def furnish(settings: Settings) -> Furnished:
    """Bring the cast into an empty database, as an operator would on the command line."""
    await commands.bring_up_to_date(settings)
    async with start_services(settings, SettableClock(), Metrics()) as services:
        ours = ["https://blog.example", "https://www.blog.example"]
        await commands.add_site(services, "blog", "Alice's blog", ours)
        theirs = ["https://elsewhere.example"]
        await commands.add_site(services, "elsewhere", "Elsewhere", theirs)
        limits = [f"limit.{name}=off" for name in ("ip", "address", "article", "site")]
        await commands.set_site(services, "blog", limits)
        tokens = {name: await _add_moderator(services, name) for name in MODERATORS}
    return Furnished(settings, tokens)


async def _add_moderator(services: Services, name: str) -> str:
    slug, role = MODERATORS[name]
    address = email_of(name)
    await commands.add_moderator(
        services, address, name.title(), slug=slug, role=role, is_admin=False, password=PASSWORD
    )
    return await commands.make_bearer_token(services, address, None, None, "tests")


@asynccontextmanager
async def open_house(
    furnished: Furnished, database_url: str, data_dir: Path, **settings: Any
) -> AsyncIterator[House]:
    """Run the service in this process on a copy of the furnished database; `settings` are changes to it.

    On SQLite `database_url` lies in `data_dir`, which is copied; on PostgreSQL the caller has copied it.
    """
    shutil.copytree(furnished.settings.data_dir, data_dir)
    chosen = msgspec.structs.replace(
        furnished.settings, data_dir=data_dir, database_url=database_url, **settings
    )
    database = Database(database_url)
    clock = SettableClock()
    app = create_app(chosen, clock=clock, now_us=clock.microseconds)
    house = House(app, chosen, database, clock, furnished.tokens)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        await stack.enter_async_context(alive(app))
        yield house
