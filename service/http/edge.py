"""The edge: what every answer has in common, put around the framework.

It mends what the framework leaves open (HEAD, OPTIONS, a complete Allow), adds the security headers
and CORS, and counts and logs each request under its route's template, never under its path, since
paths hold tokens. A public answer that is cached goes out from here, without the framework.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, cast

from litestar import Request
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from service.errors import NotFound, ServiceError, Unavailable
from service.http.answers import answer_problem
from service.http.cors import IsAllowed, find_cors_headers
from service.http.guests import Guests
from service.http.pages import names_page, show_error
from service.http.request_ids import HEADER, REQUEST_ID, choose_request_id
from service.http.routing import Route, RouteTable, shorten
from service.http.running import PROCESS, run_lifespan
from service.http.stored import STORED, ResponseStore, StoredResponse
from service.settings import Settings
from service.telemetry.logs import get_logger
from service.telemetry.metrics import Metrics

CLOSED_CSP = b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
# Every answer has these unless its handler says something else.
DEFAULT_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"content-security-policy": CLOSED_CSP,
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
}
READS = frozenset({"GET", "HEAD"})
KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"
CUT_OFF = "The process ends. Whether anything was changed is not known: look, or send it again."
# Under this name a handler leaves an answer without end in the state of its request, and the edge the server.
ENDLESS = "endless_answer"
# Under this name the server leaves there that the connection is to end.
ENDING = "is_ending"
# Under this name the edge says that a request was a HEAD, which the framework sees as a GET.
IS_HEAD = "is_head"
_logger = get_logger("greenroom.access")


class Endless(Protocol):
    """An answer that goes on until somebody ends it."""

    def end(self) -> None:
        """Have the answer end at once; returns before it has."""


class Running(Protocol):
    """What the edge has to know of the process whose service it is."""

    settings: Settings
    metrics: Metrics
    guests: Guests

    @property
    def store(self) -> ResponseStore:
        """The public answers that are cached."""

    @property
    def is_allowed(self) -> IsAllowed:
        """Tells whether scripts of an origin may read what a route answers."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Make what handlers need, and close it again."""


class Edge:
    """An ASGI app around the framework's, for one process of the service."""

    def __init__(self, app: ASGIApp, table: RouteTable, process: Running) -> None:
        self._app = app
        self.table = table
        self.process = process
        self.metrics = process.metrics
        self._store = process.store
        self.guests = process.guests
        self._access_log = process.settings.access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await run_lifespan(self.process.running(), receive, send)
        elif scope["method"] in READS and (stored := self._store.find(scope)):
            await self._repeat(stored, scope, send)
        else:
            await self._handle(scope, receive, send)

    async def _repeat(self, stored: StoredResponse, scope: HTTPScope, send: Send) -> None:
        """Send an answer that went out before, as it is."""
        started = time.perf_counter()
        request_id = choose_request_id(scope)
        status = await stored.send(scope, send, request_id)
        if stored.has_grown:
            self._store.note_sent(scope, stored)
        seconds = time.perf_counter() - started
        self._note(scope["method"], stored.template or UNMATCHED, status, seconds, request_id)

    async def _handle(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        request_id = choose_request_id(scope)
        with bound_contextvars(**{REQUEST_ID: request_id.decode()}):
            await self._answer(scope, receive, send, request_id)

    async def _answer(self, scope: HTTPScope, receive: Receive, send: Send, request_id: bytes) -> None:
        found = self.table.find(scope["path"])
        route, parameters = found or (None, {})
        is_allowed = self.process.is_allowed
        cors_headers = await find_cors_headers(scope, route, parameters, is_allowed)
        asked = _as_get(scope)
        asked["state"] |= {PROCESS: self.process, REQUEST_ID: request_id.decode()}
        answer = Answer(scope, route, cors_headers, asked["state"], send)
        started = time.perf_counter()
        try:
            if route is None:
                await answer.refuse(NotFound(), as_page=_is_for_people(scope))
            elif scope["method"] == "OPTIONS":
                await answer.options(route)
            else:
                await self._app(asked, receive, answer.send)
            if answer.stored is not None:
                self._store.note_sent(scope, answer.stored)
        except asyncio.CancelledError:
            # Nobody cancels a request but the server, at its end, when the time for it is over.
            if answer.has_begun:
                raise
            await answer.refuse(Unavailable(CUT_OFF))
        finally:
            template = route.template if route else UNMATCHED
            ended = answer.endless_from or time.perf_counter()
            self._note(scope["method"], template, answer.status, ended - started, request_id)

    def _note(self, method: str, template: str, status: int, seconds: float, request_id: bytes) -> None:
        known = method if method in KNOWN_METHODS else "other"
        self.metrics.note_request(known, template, status, seconds)
        if self._access_log:
            milliseconds = round(seconds * 1000, 1)
            _logger.info(
                "request",
                method=known,
                route=template,
                status=status,
                milliseconds=milliseconds,
                request_id=request_id.decode(),
            )


def _as_get(scope: HTTPScope) -> HTTPScope:
    """Let the framework see a HEAD as the GET that it is without a body."""
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    # A state of its own, since streams leave something there.
    state = {**(scope.get("state") or {}), IS_HEAD: scope["method"] == "HEAD"}
    path = shorten(scope["path"])
    return cast(HTTPScope, {**scope, "method": method, "path": path, "state": state})


class Answer:
    """One answer on its way out."""

    def __init__(
        self,
        scope: HTTPScope,
        route: Route | None,
        extra: dict[bytes, bytes],
        state: Mapping[str, Any],
        send: Send,
    ) -> None:
        self.status = 500
        self.has_begun = False
        self.stored: StoredResponse | None = None
        self.endless_from: float | None = None
        """When an answer began that goes on for longer than it took."""
        self._scope = scope
        self._is_head = scope["method"] == "HEAD"
        self._route = route
        self._extra = extra
        self._state = state
        self._request_id: bytes = state[REQUEST_ID].encode()
        self._send = send

    async def send(self, message: Message) -> None:
        """Pass a message of the framework on, with the headers that every answer has."""
        if (stored := cast(dict[str, Any], message).get(STORED)) is not None:
            await self._send_stored(stored)
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = self._complete(list(message["headers"]))
            # Last, and on no answer that is stored: it belongs to this request alone.
            message["headers"] = [*message["headers"], (HEADER, self._request_id)]
            if (endless := self._state.get(ENDLESS)) is not None:
                self._hand_over(endless)
        elif message["type"] == "http.response.body" and self._is_head:
            message["body"] = b""
        self.has_begun = True
        await self._send(message)

    async def _send_stored(self, stored: StoredResponse) -> None:
        """Send a stored response by itself, once it has all headers."""
        if stored.template is None and self._route is not None:
            stored.complete(self._route.template, self._complete(list(stored.headers)))
        self.status = await stored.send(self._scope, self._send, self._request_id)
        self.stored = stored

    def _complete(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        present = {name.lower() for name, _ in headers}
        added = {**DEFAULT_HEADERS, **self._extra}
        if self._route and "/receipts/" in self._route.template:
            # A held comment that a search engine lists would be published after all.
            added[b"x-robots-tag"] = b"noindex"
        if self.status == 405 and self._route:
            headers = [(name, value) for name, value in headers if name.lower() != b"allow"]
            added[b"allow"] = _allow(self._route)
        if b"vary" in present and b"vary" in added:
            headers = [_merge_vary(pair, added[b"vary"]) for pair in headers]
        return headers + [
            (name, value) for name, value in added.items() if name not in present or name == b"allow"
        ]

    def _hand_over(self, endless: Endless) -> None:
        """Let the server end an answer that does not end by itself, which it may be about to do."""
        self.endless_from = time.perf_counter()
        state = self._scope.setdefault("state", {})
        state[ENDLESS] = endless
        if state.get(ENDING):
            endless.end()

    async def refuse(self, error: ServiceError, *, as_page: bool = False) -> None:
        """Answer with a problem, without the framework."""
        response = show_error(error) if as_page else answer_problem(error)
        app = response.to_asgi_response(None, Request(self._scope))
        await app.start_response(self.send)
        await self.send({"type": "http.response.body", "body": app.body, "more_body": False})

    async def options(self, route: Route) -> None:
        """Answer OPTIONS, preflights among them, without asking the framework."""
        headers = [(b"allow", _allow(route)), (b"content-length", b"0")]
        await self.send({"type": "http.response.start", "status": 204, "headers": headers})
        await self.send({"type": "http.response.body", "body": b"", "more_body": False})


def _is_for_people(scope: HTTPScope) -> bool:
    """Tell whether somebody looks for a page where there is no route, and so reads what is answered."""
    accept = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    is_page = scope["method"] in READS and not scope["path"].startswith("/v1/")
    return is_page and names_page(accept.decode("latin-1"))


def _allow(route: Route) -> bytes:
    return ", ".join(route.methods).encode()


def _merge_vary(pair: tuple[bytes, bytes], more: bytes) -> tuple[bytes, bytes]:
    name, value = pair
    return (name, value + b", " + more) if name.lower() == b"vary" else pair
