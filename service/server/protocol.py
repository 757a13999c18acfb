"""What the HTTP server does by itself: it turns away whom there is no room for, and ends connections in a way
that loses no request."""

import asyncio
from collections import defaultdict

from service.errors import Unavailable
from service.http.edge import ENDING, ENDLESS, Edge
from service.server.draining import DRAIN
from service.server.open_files import connection_limit
from service.server.reading import BoundedProtocol
from service.telemetry.logs import OnceAMinute, get_logger

# How long a connection without a request is kept at the end: one may have arrived without having been read.
LAST_REQUEST_SECONDS = 0.5
# How long the end of a stream may take, whose reader may have stopped reading.
LAST_WORDS_SECONDS = 1.0
# When who is turned away should ask again.
RETRY_SECONDS = 5
# Why somebody is turned away.
OF_FILES, OF_NETWORK = "files", "network"
_logger = get_logger(__name__)


class Room:
    """The room that there is for connections: a process has so many open files."""

    def __init__(self) -> None:
        self._limit: int | None = None
        self._met = defaultdict[str, OnceAMinute](OnceAMinute)

    def is_left(self, transport: asyncio.Transport) -> bool:
        """Tell whether a new connection may stay."""
        if self._limit is None:
            self._limit = connection_limit()
        opened = transport.get_extra_info("socket")
        return opened is None or opened.fileno() < self._limit

    def tell(self, reason: str) -> None:
        """Have it in the log that somebody was turned away, once a minute."""
        if not self._met[reason].is_due():
            return
        if reason == OF_FILES:
            _logger.error("too many open files: connections are turned away", limit=self._limit)
        else:
            _logger.warning("too many connections of one network: further ones are turned away")


ROOM = Room()


class Protocol(BoundedProtocol):
    """The service's protocol."""

    _network: str | None = None

    # uvicorn narrows asyncio's type of a transport, and so has to whoever builds on it.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, which is to be told when the process goes out of service."""
        super().connection_made(transport)
        DRAIN.connections.add(self)
        if isinstance(self.app, Edge):
            self._network = self.app.guests.let_in(self.client[0] if self.client else None)
        if not ROOM.is_left(transport):
            self._turn_away(OF_FILES, "Too many connections are open.")
        elif isinstance(self.app, Edge) and self.app.guests.is_crowd(self._network):
            self._turn_away(OF_NETWORK, "Too many connections are open from your network.")

    def _turn_away(self, reason: str, detail: str) -> None:
        ROOM.tell(reason)
        if isinstance(self.app, Edge):
            self.app.metrics.connections_refused.labels(reason).inc()
        self._refuse(Unavailable(detail, retry_after_seconds=RETRY_SECONDS))
        # Whoever comes next needs the place.
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        super().connection_lost(exc)
        if isinstance(self.app, Edge):
            self.app.guests.let_out(self._network)
            self._network = None

    def on_headers_complete(self) -> None:
        """Begin to answer a request; while the process drains, its connection ends with it."""
        super().on_headers_complete()
        if DRAIN.has_begun and self.cycle:
            self.cycle.keep_alive = False

    def end_after_answer(self) -> None:
        """Let the answer that comes next say that it is the last one; one without end ends now."""
        if self.answering is not None and not self.answering.response_started:
            self.answering.keep_alive = False
        self._end_endless()

    def shutdown(self) -> None:
        """End the connection: after its answer, or soon if there is nothing to answer."""
        if self.answering is None or self.answering.response_complete:
            self.loop.call_later(LAST_REQUEST_SECONDS, super().shutdown)
            return
        self.answering.keep_alive = False
        if self._end_endless():
            self.loop.call_later(LAST_WORDS_SECONDS, self.transport.abort)

    def _end_endless(self) -> bool:
        """End an answer that goes on by itself, at the latest when it begins; tell whether it has begun."""
        if self.answering is None or self.answering.response_complete:
            return False
        state = self.answering.scope.setdefault("state", {})
        state[ENDING] = True
        if (endless := state.get(ENDLESS)) is None:
            return False
        endless.end()
        return True
