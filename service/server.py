"""The HTTP server, started in one way whatever it serves."""

from collections.abc import Callable

import uvicorn
from litestar.types import ASGIApp

from service.http.protocol import Protocol

# What a request that has begun may still take once the server is told to stop.
GRACE_SECONDS = 10


def run_server(
    make_app: str | Callable[[], ASGIApp], host: str, port: int, *, workers: int = 1
) -> None:
    """Serve until told to stop. Several workers find what makes the app by its name, `module:function`."""
    uvicorn.run(
        make_app,
        factory=True,
        host=host,
        port=port,
        workers=workers,
        loop="uvloop",
        http=Protocol,
        # The client's address is decided by our own rule, and paths hold tokens.
        proxy_headers=False,
        access_log=False,
        server_header=False,
        log_config=None,
        lifespan="on",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
