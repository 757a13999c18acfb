"""The end of a connection: its last answer, and how that arrives where not all was read that came."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from service.errors import ServiceError
from service.http.docs import PROBLEM
from service.http.edge import DEFAULT_HEADERS
from service.http.request_ids import HEADER, make_request_id


def write_refusal(error: ServiceError, of_server: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Give an answer to no request as it stands on the wire, with the server's headers, such as the date."""
    body = msgspec.json.encode(error.to_problem())
    headers = {
        **DEFAULT_HEADERS,
        **{name.lower().encode(): text.encode() for name, text in error.headers.items()},
        b"content-type": PROBLEM.encode(),
        b"content-length": str(len(body)).encode(),
        b"connection": b"close",
        HEADER: make_request_id(),
    }
    lines = [b"%b: %b\r\n" % pair for pair in (*of_server, *headers.items())]
    return b"".join([STATUS_LINE[error.status], *lines, b"\r\n", body])


class Ending(Protocol):
    """Who knows how a connection ends while somebody still sends."""

    def end_after_answer_to(self, request: RequestResponseCycle) -> None:
        """Close the connection behind an answer."""


class LingeringTransport:
    """What a request with a long body writes its answer to, whose end waits for who still sends."""

    def __init__(self, transport: asyncio.Transport, request: RequestResponseCycle, ending: Ending) -> None:
        self._request, self._ending = request, ending
        self.write, self.is_closing = transport.write, transport.is_closing

    def close(self) -> None:
        """End the connection behind the answer."""
        self._ending.end_after_answer_to(self._request)
