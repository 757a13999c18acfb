"""The HTTP server's own refusals, in the same form as every other answer."""

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.errors import RequestNotReadable
from service.http.docs import PROBLEM
from service.http.edge import DEFAULT_HEADERS


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, which would refuse in plain text what is not HTTP or has too long an address."""

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
