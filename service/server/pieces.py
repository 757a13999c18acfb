"""Reading what has come on a connection a piece at a time, and knowing which request is being answered.

uvicorn hands all that was read to its parser at once, and makes requests of whatever is in it. Of a quarter
of a megabyte these are ten thousand, which take ninety times the room of their bytes. Here the rest waits as
it came until the requests before are answered, and nothing that somebody sends holds the event loop for long.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

# What is given to the parser at once: of a head, of a body in chunks; of one whose length is known all of it.
HEAD_PIECE_BYTES = 1 << 10
CHUNKED_PIECE_BYTES = 4 << 10
# What is read of one connection before others have their turn; a body of known length costs next to nothing.
TURN_BYTES = 32 << 10
# How long who is sent an answer may take nothing of it.
WRITE_SECONDS = 30.0


class HeldFlow(FlowControl):
    """Flow control that reads nothing more while something waits, whatever uvicorn wishes."""

    is_held = False

    def hold(self, is_held: bool) -> None:
        """Stop reading, or go on unless uvicorn wished to stop as well."""
        if is_held == self.is_held:
            return
        self.is_held = is_held
        if not self.read_paused:
            (self._transport.pause_reading if is_held else self._transport.resume_reading)()

    def pause_reading(self) -> None:
        """Stop reading."""
        self.read_paused = True
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Go on reading, unless something waits."""
        if self.read_paused:
            self.read_paused = False
            if not self.is_held:
                self._transport.resume_reading()


class PiecewiseProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which reads at most some requests ahead."""

    flow: HeldFlow

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.answering: RequestResponseCycle | None = None
        """The request whose answer goes out now, or went out last."""
        self._rest = b""
        self._body_bytes_left = 0
        """Of a body whose length is known."""
        self._is_in_body = False
        self._is_over = False
        """Whether nothing that still comes is read."""
        self._write_timer: asyncio.TimerHandle | None = None

    # uvicorn narrows asyncio's type of a transport, and so has to whoever builds on it.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection."""
        super().connection_made(transport)
        self.flow = HeldFlow(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection, and tell all requests that nobody waits for them any more."""
        waiting = [cycle for cycle, _ in self.pipeline]
        self.pipeline.clear()
        self._rest, self._is_over = b"", True
        self.resume_writing()
        super().connection_lost(exc)
        for cycle in (self.answering, *waiting):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()

    @property
    def is_busy(self) -> bool:
        """Whether a request is being answered."""
        cycle = self.answering
        return cycle is not None and not (cycle.response_complete or cycle.disconnected)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the last request has been read."""
        if self._is_over:
            return
        if self._rest:
            self._rest += data
        elif self.pipeline or len(data) > HEAD_PIECE_BYTES:
            self._rest = data
            self._read_on()
        else:
            # As most requests are: one piece, before which nothing waits.
            self._unset_keepalive_if_required()
            self.take(data)

    def take(self, piece: bytes) -> None:
        """Give a piece to the parser."""
        raise NotImplementedError

    def _read_on(self) -> None:
        """Read what has come: not beyond a request that waits for its turn, and not for too long."""
        self._unset_keepalive_if_required()
        rest, at, taken = self._rest, 0, 0
        while at < len(rest) and taken < TURN_BYTES and not (self.pipeline or self._is_over):
            size = self._piece_bytes()
            self.take(rest[at : at + size])
            at += size
            taken += min(size, CHUNKED_PIECE_BYTES)
        self._rest = b"" if self._is_over else rest[at:]
        self.flow.hold(bool(self._rest))
        if self._rest and not self.pipeline:
            self.loop.call_soon(self._read_on)

    def _piece_bytes(self) -> int:
        if not self._is_in_body:
            return HEAD_PIECE_BYTES
        return self._body_bytes_left or CHUNKED_PIECE_BYTES

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._body_bytes_left -= min(self._body_bytes_left, len(body))
        super().on_body(body)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self.answering = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """Go on to the next request, which may not have been read yet."""
        super().on_response_complete()
        if self._rest and not self.pipeline:
            self.loop.call_soon(self._read_on)

    def pause_writing(self) -> None:
        """Wait for somebody to take what was sent, and not for ever."""
        super().pause_writing()
        self._write_timer = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Send on."""
        if self._write_timer:
            self._write_timer.cancel()
            self._write_timer = None
        super().resume_writing()
