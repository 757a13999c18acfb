"""What the HTTP server does by itself: its refusals look like every other answer, and it ends connections
in a way that loses no request."""

import asyncio

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from service.draining import DRAIN
from service.errors import RequestNotReadable
from service.http.docs import PROBLEM
from service.http.edge import DEFAULT_HEADERS
from service.http.endless import ENDING, ENDLESS

# How long a connection that was taken just before the end may be without its first request.
FIRST_REQUEST_SECONDS = 0.5
# How long the end of a stream may take, whose reader may have stopped reading.
LAST_WORDS_SECONDS = 1.0


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, which would refuse in plain text what is not HTTP or has too long an address."""

    # uvicorn narrows asyncio's type of a transport, and so has to whoever builds on it.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, which is to be told when the process goes out of service."""
        super().connection_made(transport)
        DRAIN.connections.add(self)

    def on_headers_complete(self) -> None:
        """Begin to answer a request; while the process drains, its connection ends with it."""
        super().on_headers_complete()
        if DRAIN.has_begun:
            self.cycle.keep_alive = False

    def end_after_answer(self) -> None:
        """Let the answer that comes next say that it is the last one; one without end ends now."""
        if self._answer is not None and not self._answer.response_started:
            self._answer.keep_alive = False
        self._end_endless()

    def shutdown(self) -> None:
        """End the connection: after its answer, or now if there is nothing to answer."""
        if self._answer is None and DRAIN.has_begun:
            # Its first request may have arrived without having been read.
            self.loop.call_later(FIRST_REQUEST_SECONDS, super().shutdown)
        else:
            super().shutdown()
            if self._end_endless():
                self.loop.call_later(LAST_WORDS_SECONDS, self.transport.abort)

    def _end_endless(self) -> bool:
        """End an answer that goes on by itself, at the latest when it begins; tell whether it has begun."""
        if self._answer is None or self._answer.response_complete:
            return False
        state = self._answer.scope.setdefault("state", {})
        state[ENDING] = True
        if (endless := state.get(ENDLESS)) is None:
            return False
        endless.end()
        return True

    @property
    def _answer(self) -> RequestResponseCycle | None:
        # There is none before the first request, which uvicorn's own type does not say.
        return self.cycle

    def send_400_response(self, msg: str) -> None:
        """Answer with a problem and close the connection, since nobody knows where a next request begins."""
        body = msgspec.json.encode(RequestNotReadable().to_problem())
        headers = {
            **DEFAULT_HEADERS,
            b"content-type": PROBLEM.encode(),
            b"content-length": str(len(body)).encode(),
            b"connection": b"close",
        }
        lines = [b"%b: %b\r\n" % pair for pair in headers.items()]
        self.transport.write(b"".join([b"HTTP/1.1 400 Bad Request\r\n", *lines, b"\r\n", body]))
        self.transport.close()
