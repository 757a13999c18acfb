"""One id for each request: in every line that the log gets of it, and on its answer.

A proxy in front may have given it one, so that its lines and ours can be put side by side. It is a word of
the caller's all the same: it names a request, and decides nothing.
"""

import re
import secrets

from litestar.types import HTTPScope

HEADER = b"x-request-id"
# Under this name it lies in the state of a request, for what answers it, and in the lines of the log.
REQUEST_ID = "request_id"
# Nothing in it can be taken for anything else in a header, a log line or a page.
_PLAIN = re.compile(rb"[A-Za-z0-9._-]{1,64}")


def choose_request_id(scope: HTTPScope) -> bytes:
    """Give the id that the request came with, if it is short and plain, else a new one."""
    for name, value in scope["headers"]:
        if name == HEADER and _PLAIN.fullmatch(value):
            return value
    return make_request_id()


def make_request_id() -> bytes:
    """Make an id that no other request has."""
    return secrets.token_hex(16).encode()
