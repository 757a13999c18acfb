"""What one process has, as requests find it, and its start and end as the server tells of them."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from traceback import format_exc
from typing import Any

from litestar.connection import ASGIConnection

# Under this name it lies in the state of each request.
PROCESS = "process"


def process_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Any:
    """Give what the process has that answers a request: the `Process` of service/process.py."""
    return connection.scope["state"][PROCESS]


async def run_lifespan(
    running: AbstractAsyncContextManager[None],
    receive: Callable[[], Awaitable[Any]],
    send: Callable[[Any], Awaitable[None]],
) -> None:
    """Run something from the server's start to its end (ASGI lifespan protocol, version 2)."""
    phase = "startup"
    await receive()
    try:
        async with running:
            await send({"type": "lifespan.startup.complete"})
            phase = "shutdown"
            await receive()
    except BaseException:
        await send({"type": f"lifespan.{phase}.failed", "message": format_exc()})
        raise
    await send({"type": "lifespan.shutdown.complete"})
