"""The HTTP server, started in one way whatever it serves."""

import time
from collections.abc import Callable
from contextlib import suppress
from socket import socket

import uvicorn
from litestar.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from service.draining import DRAIN, refuse_newcomers
from service.http.protocol import Protocol

# What a request that has begun may still take once the server is told to stop.
GRACE_SECONDS = 10
# Proxies keep idle connections for a minute at most. It must be they who close them: a server that
# does so may meet a request that is on its way.
KEEP_ALIVE_SECONDS = 75
# What a new worker may take to start, on a machine that is busy, before a restart is given up.
START_SECONDS = 60


def run_server(
    make_app: str | Callable[[], ASGIApp],
    host: str,
    port: int,
    *,
    workers: int = 1,
    drain_seconds: int = 0,
) -> None:
    """Serve until told to stop. Several workers find what makes the app by its name, `module:function`.

    They drain by themselves; `drain_seconds` says for how long new connections are taken meanwhile.
    """
    config = uvicorn.Config(
        make_app,
        factory=True,
        host=host,
        port=port,
        workers=workers,
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
        timeout_worker_healthcheck=START_SECONDS,
    )
    listener = config.bind_socket()
    with suppress(KeyboardInterrupt):
        if workers > 1:
            Workers(config, listener, drain_seconds).run()
        else:
            DRAIN.listener = listener
            uvicorn.Server(config).run([listener])


class Workers(Multiprocess):
    """uvicorn's workers, which share a socket that is closed only when none of them takes from it."""

    def __init__(self, config: uvicorn.Config, listener: socket, drain_seconds: int) -> None:
        super().__init__(config, [listener])
        self._listener = listener
        self._drain_seconds = drain_seconds

    def handle_int(self) -> None:
        """End at once: somebody sits at the keyboard, who has interrupted the workers too."""
        self._drain_seconds = 0
        super().handle_int()

    def terminate_all(self) -> None:
        """End all workers; while they drain, new connections are taken, and none is left in the queue."""
        super().terminate_all()
        time.sleep(self._drain_seconds)
        refuse_newcomers(self._listener)
        self._listener.close()
