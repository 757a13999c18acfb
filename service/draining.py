"""Going out of service without an error: what SIGTERM does before the server stops.

For some seconds the process takes requests as before, while each answer ends its connection and
/health/ready says 503: proxies let go of the connections that they keep, and turn to other processes.
Only then it takes no more. A connection that is closed while it is kept, or still in the queue, would
take a request with it that may be on its way, and of a POST nobody knows whether it was done.
"""

import asyncio
import ctypes
import signal
import socket
import struct
import sys
from typing import Protocol
from weakref import WeakSet

# Longer than packets take to and fro, so that connections which are being opened are complete.
SETTLE_SECONDS = 0.05
# From asm-generic/socket.h; Python has no name for it.
SO_ATTACH_FILTER = 26
# Classic BPF as (code, jump if true, jump if false, operand): drop a TCP segment whose SYN flag is set.
NO_NEWCOMERS = ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))


class Connection(Protocol):
    """What the server has for each connection."""

    def end_after_answer(self) -> None:
        """Let the answer that comes next say that it is the last one."""


class Drain:
    """Whether this process is going out of service, and what has to be told so."""

    def __init__(self) -> None:
        self.has_begun = False
        self.connections: WeakSet[Connection] = WeakSet()
        self.listener: socket.socket | None = None
        """What the process listens on, unless it is one of several that do."""

    def begin(self) -> None:
        """Let every connection end with its next answer."""
        self.has_begun = True
        for connection in list(self.connections):
            connection.end_after_answer()


# A process has one server, as it has one handler for a signal.
DRAIN = Drain()


def drain_on_sigterm(seconds: int) -> None:
    """Put off what SIGTERM does now by some seconds of draining; a second one does it at once.

    To be called in the loop that serves.
    """
    loop, stop = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)

    def finish() -> None:
        loop.remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGTERM, stop)
        signal.raise_signal(signal.SIGTERM)

    def settle() -> None:
        if DRAIN.listener is not None:
            refuse_newcomers(DRAIN.listener)
        loop.call_later(SETTLE_SECONDS, finish)

    def begin() -> None:
        if DRAIN.has_begun:
            finish()
            return
        DRAIN.begin()
        loop.call_later(seconds, settle)

    if seconds:
        loop.add_signal_handler(signal.SIGTERM, begin)


def refuse_newcomers(listener: socket.socket) -> None:
    """Let the kernel drop what asks for a new connection, and complete those that are being opened.

    To close a listener resets every connection in its queue, whose request may have been sent. Who is
    dropped here asks again a second later, is refused, and has sent nothing yet. Linux only.
    """
    if sys.platform != "linux" or listener.fileno() < 0:
        return
    program = b"".join(struct.pack("HBBI", *instruction) for instruction in NO_NEWCOMERS)
    memory = ctypes.create_string_buffer(program)
    pointer = struct.pack("HP", len(NO_NEWCOMERS), ctypes.addressof(memory))
    listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, pointer)
