"""The floor: the least that an ASGI application can do, under the very server that the service runs under.

It gives one answer, read from a file at the start, whatever is asked. A body that is posted is read and
parsed as JSON, and nothing is done with it. The same is done by a handler of the framework that the
service is written with, which is the floor of whatever goes by a router.
"""

import http.client
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Litestar, Request, Response, get, post
from litestar.params import FromPath

from service.server.listening import bind_listener
from service.server.serving import run_server
from tests.benchmarks.machine import SERVER_CORE, on_core
from tests.processes import Server, bound_to_us, find_free_port, running

MODULE = "tests.benchmarks.bare"
ANSWER_FILE = "BENCH_ANSWER"
# The server adds its own of these.
BY_SERVER = {"date", "server", "transfer-encoding", "connection"}


class Recorded(msgspec.Struct, frozen=True):
    """An answer of the service, to be given again byte by byte."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: str) -> str:
        return dict(self.headers)[name.encode()].decode()


def record_answer(url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> Recorded:
    """Ask the service and keep its answer, with the header lines in their order; a body is posted."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port)
    path = f"{place.path}?{place.query}" if place.query else place.path
    connection.request("POST" if body else "GET", path, body, dict(headers or {}))
    answer = connection.getresponse()
    lines = [
        (name.lower().encode(), value.encode())
        for name, value in answer.getheaders()
        if name.lower() not in BY_SERVER
    ]
    recorded = Recorded(answer.status, lines, answer.read())
    connection.close()
    return recorded


def make_app() -> Any:
    """Make the application that gives the recorded answer."""
    recorded = _read_answer()
    start = {
        "type": "http.response.start",
        "status": recorded.status,
        "headers": recorded.headers,
    }
    body = {"type": "http.response.body", "body": recorded.body}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["method"] == "POST":
            msgspec.json.decode(await _read_body(receive))
        await send(start)
        await send(body)

    return app


def make_handler() -> Any:
    """Make the framework's application whose one handler gives the recorded answer to a submission."""
    recorded = _read_answer()
    headers = {name.decode(): value.decode() for name, value in recorded.headers}
    media_type = headers.pop("content-type")

    @post("/v1/sites/{site:str}/comments", status_code=recorded.status)
    async def do_nothing(request: Request[Any, Any, Any], site: FromPath[str]) -> Response[bytes]:
        msgspec.json.decode(await request.body())
        return Response(recorded.body, headers=headers, media_type=media_type)

    @get("/")
    async def be_there() -> str:
        return ""

    return Litestar([do_nothing, be_there], openapi_config=None, logging_config=None)


def _read_answer() -> Recorded:
    return msgspec.msgpack.decode(Path(os.environ[ANSWER_FILE]).read_bytes(), type=Recorded)


async def _live(receive: Any, send: Any) -> None:
    for phase in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{phase}.complete"})


async def _read_body(receive: Any) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


@contextmanager
def start_bare(folder: Path, name: str, recorded: Recorded, maker: str = "make_app") -> Iterator[Server]:
    """Run a server that gives one recorded answer, by an application of this module."""
    file = folder / f"{name}.answer"
    file.write_bytes(msgspec.msgpack.encode(recorded))
    port = find_free_port()
    server = Server(
        [*bound_to_us(), sys.executable, "-m", MODULE, str(port), maker],
        url=f"http://127.0.0.1:{port}",
        log_file=folder / f"{name}.log",
        answers=_answers,
        environment={**os.environ, ANSWER_FILE: str(file)},
    )
    with on_core(SERVER_CORE), running(server):
        yield server


def _answers(url: str) -> bool:
    try:
        record_answer(url)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    run_server(f"{MODULE}:{sys.argv[2]}", bind_listener("127.0.0.1", int(sys.argv[1])))
