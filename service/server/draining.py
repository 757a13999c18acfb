"""Going out of service without an error: whether this process has begun to, and who has to be told.

For some seconds a process that is told to stop takes requests as before, while each answer ends its
connection and /health/ready says 503: proxies let go of the connections that they keep, and turn to other
processes. A connection that is closed while it is kept would take a request with it that may be on its way,
and of a POST nobody knows whether it was done.
"""

from typing import Protocol
from weakref import WeakSet


class Connection(Protocol):
    """What the server has for each connection."""

    def end_after_answer(self) -> None:
        """Let the answer that comes next say that it is the last one."""


class Drain:
    """Whether this process is going out of service, and what has to be told so."""

    def __init__(self) -> None:
        self.has_begun = False
        self.connections: WeakSet[Connection] = WeakSet()

    def begin(self) -> None:
        """Let every connection end with its next answer."""
        self.has_begun = True
        for connection in list(self.connections):
            connection.end_after_answer()


# A process has one server, as it has one handler for a signal.
DRAIN = Drain()
