"""The HTTP server of a process: how it begins, and the order in which it ends."""

import asyncio
import faulthandler
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from litestar.types import ASGIApp

from service.server.draining import DRAIN
from service.server.open_files import raise_limit
from service.server.protocol import Protocol
from service.telemetry.logs import STANDARD_ERROR, get_logger

# What a request that has begun may still take once the server is told to stop.
GRACE_SECONDS = 10
# Closing the parts of the service; a database that is silent does not even say goodbye.
LAST_SECONDS = 5
# What is said of a hang may hang as well.
UNREAD_SECONDS = 2
# Proxies keep idle connections for a minute at most. It must be they who close them: a server that
# does so may meet a request that is on its way.
KEEP_ALIVE_SECONDS = 75
_logger = get_logger(__name__)


def run_server(
    make_app: str | Callable[[], ASGIApp],
    listener: socket.socket,
    *,
    drain_seconds: int = 0,
    tell: Callable[[], None] | None = None,
) -> None:
    """Serve until told to stop; `tell` is called about once a second while the process serves.

    A process that hangs at its end says where, and ends with status 1.
    """
    raise_limit()
    config = uvicorn.Config(
        make_app,
        factory=True,
        loop="uvloop",
        http=Protocol,
        ws="none",
        # The client's address is decided by our own rule, and paths hold tokens.
        proxy_headers=False,
        access_log=False,
        server_header=False,
        log_config=None,
        lifespan="on",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    Server(config, drain_seconds, tell).run([listener])


def _ignore(_number: int, _frame: FrameType | None) -> None:
    _logger.info("SIGHUP changes nothing in a process without workers")


def longest_stop_seconds(drain_seconds: int) -> int:
    """Give the seconds after which a process that was told to stop is gone, whatever hangs."""
    return drain_seconds + GRACE_SECONDS + LAST_SECONDS


class Server(uvicorn.Server):
    """uvicorn's server, which drains first and cuts no connection that the kernel has taken."""

    def __init__(self, config: uvicorn.Config, drain_seconds: int, tell: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._drain_seconds = drain_seconds
        self._tell = tell
        self._is_draining = False
        self._queue: list[socket.socket] = []

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop in order when told to; an end in order has the status 0, and so raises no signal anew."""
        handlers = {
            signal.SIGTERM: self._drain,
            signal.SIGINT: self.handle_exit,
            # Sent by a terminal that closes, too. Elsewhere it asks for what only a parent of workers does.
            signal.SIGHUP: self.handle_exit if os.isatty(0) else _ignore,
        }
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _drain(self, number: int, frame: FrameType | None) -> None:
        """Stop after some seconds of draining; the second time, at once."""
        if self._is_draining or not self._drain_seconds:
            self.handle_exit(number, frame)
            return
        self._is_draining = True
        _end_within(longest_stop_seconds(self._drain_seconds))
        # A handler may come in the middle of anything that the loop does.
        asyncio.get_running_loop().call_soon_threadsafe(self._begin_to_drain)

    def _begin_to_drain(self) -> None:
        _logger.info("draining", seconds=self._drain_seconds)
        loop = asyncio.get_running_loop()
        loop.call_later(self._drain_seconds, self.handle_exit, signal.SIGTERM, None)
        DRAIN.begin()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop now; interrupted again, without waiting for what has begun."""
        if not self.should_exit:
            _end_within(longest_stop_seconds(0))
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the app and listen."""
        await super().startup(sockets)
        # A second descriptor of each listener, so that its queue outlives the first one.
        self._queue = [one.dup() for one in sockets or []]

    async def on_tick(self, counter: int) -> bool:
        """Tell that the event loop goes round."""
        if self._tell is not None and counter % 10 == 0:
            self._tell()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more, finish what there is, and close the app."""
        DRAIN.begin()
        await self._take_queue()
        await super().shutdown(sockets)

    async def _take_queue(self) -> None:
        """Close the listeners, and serve those whom the kernel has let in but nobody has accepted yet.

        To close a listener resets every connection in its queue, whose request may have been sent. So the
        last descriptor goes in the same breath as the look that finds the queue empty.
        """
        for server in self.servers:
            server.close()
        waiting = [one for listener in self._queue for one in _accept_all(listener)]
        loop = asyncio.get_running_loop()
        for connection in waiting:
            connection.setblocking(False)
            await loop.connect_accepted_socket(self._make_protocol, connection)

    def _make_protocol(self) -> Protocol:
        return Protocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


def _accept_all(listener: socket.socket) -> list[socket.socket]:
    """Empty the queue of a listener and close it."""
    accepted = []
    listener.setblocking(False)
    with listener:
        try:
            while True:
                accepted.append(listener.accept()[0])
        except BlockingIOError:
            pass
        except OSError as error:
            _logger.error("connections in the queue are lost", code=error.errno)
    return accepted


def _end_within(seconds: int) -> None:
    """End the process after some seconds, whatever hangs, and say on standard error where it did.

    A thread of C does it, so that neither the event loop nor Python's locks can keep it from it. Another one
    does it a moment later, should nobody read what is said.
    """
    faulthandler.dump_traceback_later(seconds, exit=True, file=STANDARD_ERROR)
    last_resort = threading.Timer(seconds + UNREAD_SECONDS, os._exit, [1])
    last_resort.daemon = True
    last_resort.start()
