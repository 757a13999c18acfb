"""Reading requests off a connection: bounded in bytes and in time, and never more requests than were sent.

uvicorn's protocol takes what its parser gives. The parser ends at a wish to upgrade and reads the body as
the next request, calls trailers headers, and keeps a header of any length; nothing of that passes here.
"""

import asyncio
import logging
import re
from http import HTTPMethod
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from service.errors import (
    HeadersTooLong,
    MethodNotKnown,
    RequestLineTooLong,
    RequestNotReadable,
    RequestTooSlow,
    ServiceError,
)
from service.http.edge import UNMATCHED, Edge
from service.server.ending import LingeringTransport, write_refusal
from service.server.pieces import PiecewiseProtocol

MAX_REQUEST_LINE_BYTES = 16 << 10
MAX_HEADERS_BYTES = 64 << 10
MAX_HEAD_BYTES = MAX_REQUEST_LINE_BYTES + MAX_HEADERS_BYTES
MAX_HEADERS = 256
HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0
# How long who is told no may go on sending.
LINGER_SECONDS = 1.0
_REQUEST_LINE = re.compile(rb"^([A-Z]+) \S+ HTTP/1\.[01]\r?$", re.MULTILINE)
# A name, an address or nothing, and perhaps a port (RFC 9110, section 7.2; RFC 3986, section 3.2.2).
_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]+|%[0-9A-Fa-f]{2})*+)(?::[0-9]*)?")
# Of a request that would rather speak another protocol these are left out (RFC 9110, section 7.8).
_OF_AN_UPGRADE = frozenset({b"connection", b"upgrade", b"http2-settings"})
# What strangers send is answered and counted, but no reason for a line: they could fill the log with them.
_uvicorn_logger = logging.getLogger("uvicorn.error.connections")
_uvicorn_logger.setLevel(logging.ERROR)


def _size_header(header: tuple[bytes, bytes]) -> int:
    name, value = header
    return len(name) + len(value) + len(b": \r\n")


class BoundedProtocol(PiecewiseProtocol):
    """uvicorn's protocol with the bounds of the contract; what exceeds them, or is no HTTP, ends it."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.logger = _uvicorn_logger
        self.url, self.headers = b"", []
        self._is_in_head = False
        self._has_begun = False
        """Whether a request began in what was read last."""
        self._head_bytes = 0
        """What came of a head after the piece in which it began."""
        self._is_chunked = False
        self._trailers = self._trailer_bytes = 0
        self._empty_bytes = 0
        """What came since the last byte of a body: sizes of chunks, or a trailer."""
        self._fault: ServiceError | None = None
        self._refusal: ServiceError | None = None
        """What is said once the requests before have their answers."""
        self._seconds: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    # uvicorn narrows asyncio's type of a transport, and so has to whoever builds on it.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, and wait for its first request for as long as for any."""
        super().connection_made(transport)
        self._wait(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self._wait(None)
        super().connection_lost(exc)

    def take(self, piece: bytes) -> None:
        """Give a piece to the parser, and say what is wrong with it."""
        self._has_begun, self._is_in_head = False, not self._is_in_body
        self._empty_bytes += len(piece)
        try:
            self._feed(piece)
        except httptools.HttpParserInvalidMethodError:
            # The parser stops at the first letter that it does not expect, and what follows may be no HTTP.
            methods = {line[1].decode() for line in _REQUEST_LINE.finditer(piece)}
            odd = methods - HTTPMethod.__members__.keys()
            self._end_with(MethodNotKnown() if odd else RequestNotReadable())
        except httptools.HttpParserError:
            self._end_with(self._fault or RequestNotReadable())
        else:
            self._bound(piece)

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # One that stands in a trailer asks for nothing.
            if not self._trailers:
                self._feed_as_plain(data[upgrade.args[0] :])

    def _feed_as_plain(self, rest: bytes) -> None:
        """Read a request that asks for another protocol as one that does not, and as the last one."""
        version = self.scope["http_version"].encode()
        lines = [b"%b %b HTTP/%b\r\n" % (self.scope["method"].encode(), self.url, version)]
        lines += [b"%b: %b\r\n" % (name, value) for name, value in self.headers if name not in _OF_AN_UPGRADE]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(b"".join([*lines, b"connection: close\r\n\r\n", rest]))

    def _bound(self, data: bytes) -> None:
        """Wait for the rest, and bound a head without an end, of which the parser keeps a part to itself."""
        if not self._is_in_head:
            # The parser keeps a trailer without an end as well.
            if self._is_in_body and self._empty_bytes > MAX_HEADERS_BYTES:
                self._end_with(HeadersTooLong())
            self._wait(BODY_SECONDS if self._is_in_body and not self._is_over else None)
            return
        self._head_bytes += 0 if self._has_begun else len(data)
        if error := self._find_excess() or (HeadersTooLong() if self._head_bytes > MAX_HEAD_BYTES else None):
            self._end_with(error)
        else:
            self._wait(HEAD_SECONDS)

    def _find_excess(self) -> ServiceError | None:
        """Give what is to be said of a head, of which perhaps not all is there, that is too long."""
        if len(self.parser.get_method()) + len(self.url) + len(b"  HTTP/1.1") > MAX_REQUEST_LINE_BYTES:
            return RequestLineTooLong()
        # Whoever sends a head byte by byte has it added up with each of them only where that matters.
        is_short = self._head_bytes < MAX_HEADERS_BYTES // 2 and not self._trailers
        size = 0 if is_short else self._trailer_bytes + sum(map(_size_header, self.headers))
        is_too_long = size > MAX_HEADERS_BYTES or len(self.headers) + self._trailers > MAX_HEADERS
        return HeadersTooLong() if is_too_long else None

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._has_begun = self._is_in_head = True
        self._head_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; a trailer is none, whatever it is called (RFC 9110, section 6.5.1)."""
        if not self._is_in_body:
            super().on_header(name, value)
            return
        # The parser may heed it all the same, so that nobody knows how it reads on.
        self.cycle.keep_alive = False
        self._trailers += 1
        self._trailer_bytes += _size_header((name, value))
        if error := self._find_excess():
            self._fail(error)

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._empty_bytes = 0
        super().on_body(body)

    def on_headers_complete(self) -> None:
        """Begin to answer a request."""
        self._check_head()
        if self.parser.should_upgrade():
            # It comes again, without the wish.
            self.scope["method"] = self.parser.get_method().decode("ascii")
            return
        super().on_headers_complete()
        if self._is_chunked or self._body_bytes_left > HIGH_WATER_LIMIT:
            self.cycle.transport = LingeringTransport(self.transport, self.cycle, self)  # type: ignore[assignment]  # As much as is used of one.
        self._is_in_head, self._is_in_body, self._empty_bytes = False, True, 0

    def _check_head(self) -> None:
        """Let the parser stop at what is too long, or no request of HTTP; notes the length of the body."""
        # What came in a piece or two is not too long.
        is_long = self._head_bytes or len(self.headers) > MAX_HEADERS
        if is_long and (error := self._find_excess()):
            self._fail(error)
        if self.parser.get_method() == b"CONNECT":
            self._fail(MethodNotKnown())
        version = self.parser.get_http_version()
        if version not in {"1.0", "1.1"}:
            self._fail(RequestNotReadable("HTTP/1.1 is spoken here, and HTTP/1.0."))
        hosts, self._body_bytes_left, self._is_chunked = [], 0, False
        for name, value in self.headers:
            if name == b"host":
                hosts.append(value)
            elif name == b"content-length":
                self._body_bytes_left = int(value)
            elif name == b"transfer-encoding":
                self._is_chunked = True
        if len(hosts) != 1 and (hosts or version != "1.0"):
            self._fail(RequestNotReadable("A request has exactly one Host."))
        if hosts and not _HOST.fullmatch(hosts[0]):
            self._fail(RequestNotReadable("The Host is not the name of one."))

    def on_message_complete(self) -> None:
        """End a request."""
        if self.parser.should_upgrade() and not self._trailers:
            return
        super().on_message_complete()
        self._is_in_body = False
        self._wait(None)
        self._is_over = self._is_over or not self.cycle.keep_alive
        if self._is_over and self.cycle.response_complete:
            # It was answered before it ended, as if others could follow.
            self.transport.close()

    def _fail(self, error: ServiceError) -> None:
        """Let the parser stop; raises it."""
        self._fault = error
        raise error

    def _wait(self, seconds: float | None) -> None:
        """Wait so long for the rest of a request, from its beginning."""
        if seconds == self._seconds:
            return
        if self._timer:
            self._timer.cancel()
        self._seconds = seconds
        self._timer = self.loop.call_later(seconds, self._give_up) if seconds else None

    def _read_on(self) -> None:
        super()._read_on()
        if self._rest:
            # It is not the sender who is slow.
            self._wait(None)

    def _give_up(self) -> None:
        if self._is_in_head or self._is_in_body:
            self._end_with(RequestTooSlow())
        else:
            self.transport.close()

    def _end_with(self, error: ServiceError) -> None:
        """Read no more, and say why as the last answer: nobody knows where a next request begins."""
        self._is_over = True
        self._wait(None)
        if self._is_in_body and not self._drop_request():
            self.transport.close()
        elif self.is_busy:
            self._refusal = error
        else:
            self._refuse(error)

    def _drop_request(self) -> bool:
        """Take the request that is being read from the app; tells whether it is without an answer yet."""
        if self.pipeline and self.pipeline[0][0] is self.cycle:
            self.pipeline.popleft()
            return True
        if self.cycle.response_complete:
            return False
        self.cycle.disconnected = True
        self.cycle.message_event.set()
        return not self.cycle.response_started

    def on_response_complete(self) -> None:
        """Go on to the next request, or to the last word."""
        is_last = not self.pipeline
        super().on_response_complete()
        if is_last and self._refusal and not self.transport.is_closing():
            self._refuse(self._refusal)

    def _refuse(self, error: ServiceError) -> None:
        """Answer without a request, and close the connection."""
        self._is_over = True
        if self.transport.is_closing():
            return
        if isinstance(self.app, Edge):
            self.app.metrics.note_request("other", UNMATCHED, error.status, 0.0)
        self.transport.write(write_refusal(error, self.server_state.default_headers))
        self._linger()

    def end_after_answer_to(self, request: RequestResponseCycle) -> None:
        """Close the connection behind an answer, of whose request something may not have been read."""
        if not request.more_body or self.transport.is_closing():
            self.transport.close()
            return
        self._is_over, self._rest = True, b""
        self._wait(None)
        self.flow.hold(False)
        self.flow.resume_reading()
        self._linger()

    def _linger(self) -> None:
        """Say no more, and close when what comes has been read for a while.

        To close with something unread would reset the connection, and the answer might be lost with it.
        """
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)
