"""Two ASGI servers under one bare app: uvicorn as the service runs it, and Granian.

Requests a second and CPU time per request, interleaved in rounds, with the server on one core and
wrk on the other; the time to a first answer and the memory then; and what each says to requests that
are not as they should be.
"""

import importlib.util
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tests.benchmarks.harness import Pace
from tests.processes import POLL_SECONDS, Server, find_free_port, running

CONNECTIONS = 32
PAGE = b"x" * 8_192
BODY = msgspec.json.encode({"article": "/a", "name": "Dave", "text": "x" * 456})
HEADERS = [(b"content-type", b"text/html"), (b"content-length", b"%d" % len(PAGE))]
HEADERS += [(b"x-header-%d" % number, b"value " * 4) for number in range(9)]
SERVERS = {
    "uvicorn": [
        *(sys.executable, "-c"),
        "import sys; from service.server.listening import bind_listener;"
        "from service.server.serving import run_server;"
        "run_server('tests.benchmarks.servers:make_app', bind_listener('127.0.0.1', int(sys.argv[1])))",
    ],
    "granian": [
        *(sys.executable, "-m", "granian", "tests.benchmarks.servers:make_app", "--factory"),
        *("--interface", "asgi", "--loop", "uvloop", "--no-ws", "--log-level", "critical"),
        *("--workers-kill-timeout", "10", "--port"),
    ],
}
ODD_REQUESTS = {
    "no HTTP": b"nonsense\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "length and chunks": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "bad chunk": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "URL of 70 kB": b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "header of 70 kB": b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + b"x" * 70_000 + b"\r\n\r\n",
    "NUL in a header": b"GET / HTTP/1.1\r\nHost: a\r\nX-Nul: a\x00b\r\n\r\n",
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "HTTP/1.0": b"GET / HTTP/1.0\r\n\r\n",
    "HEAD": b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    "Expect": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n{}",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
}


def make_app() -> Any:
    """Make the app that both servers serve: a page, JSON that is read."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["method"] == "POST":
            message = await receive()
            body = message["body"]
            while message.get("more_body"):
                message = await receive()
                body += message["body"]
            msgspec.json.decode(body)
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": PAGE})

    return app


async def _live(receive: Any, send: Any) -> None:
    for step in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{step}.complete"})


def main(pace: Pace) -> None:
    """Measure both and print what they do."""
    if importlib.util.find_spec("granian") is None:
        sys.exit("To compare with Granian: pip install granian")
    with _both() as servers:
        for what in ("GET of 8 kB", "POST of 500 bytes"):
            _compare(what, servers, pace, body=BODY if what.startswith("POST") else None)
        for name, server in servers.items():
            resident, shared_fairly = (_memory(server.pid, field) for field in ("Rss", "Pss"))
            print(f"{name}: {resident} MiB resident, {shared_fairly} MiB by share, all processes")
        _show_odd_answers(servers)
    for name, server in _make_servers().items():
        starts = [_time_start(server) for _ in range(pace.rounds)]
        print(f"{name}: {statistics.median(starts) * 1000:.0f} ms to the first answer of a bare app")


@contextmanager
def _both() -> Iterator[dict[str, Server]]:
    servers = _make_servers()
    with running(servers["uvicorn"]), running(servers["granian"]):
        yield servers


def _make_servers() -> dict[str, Server]:
    ports = {name: find_free_port() for name in SERVERS}
    folder = Path(tempfile.gettempdir())
    return {
        name: Server(
            ["taskset", "--cpu-list", "0", *command, str(ports[name])],
            url=f"http://127.0.0.1:{ports[name]}",
            log_file=folder / f"greenroom-bench-{name}.log",
            answers=_is_open,
            environment={**os.environ, "PYTHONPATH": os.getcwd()},
        )
        for name, command in SERVERS.items()
    }


def _compare(what: str, servers: dict[str, Server], pace: Pace, body: bytes | None) -> None:
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in servers}
    for _ in range(pace.rounds):
        for name, server in servers.items():
            before = _cpu_seconds(server.pid)
            count, seconds = _load(server.url, body, pace.seconds)
            used = _cpu_seconds(server.pid) - before
            results[name].append((count / seconds, used / count * 1e6))
    for name, rounds in results.items():
        rate, cost = (statistics.median(column) for column in zip(*rounds, strict=True))
        print(f"{what}, {name}: {rate:,.0f} requests/s, {cost:.1f} µs of CPU each")
    ratios = [
        (other[0] / ours[0], ours[1] / other[1])
        for ours, other in zip(results["uvicorn"], results["granian"], strict=True)
    ]
    rate, cost = (statistics.median(column) for column in zip(*ratios, strict=True))
    print(f"{what}: Granian serves x{rate:.2f} as many, x{cost:.2f} by CPU")


def _load(url: str, body: bytes | None, seconds: int) -> tuple[int, float]:
    """Let wrk send for some seconds from the other core; gives the count of answers and the time."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        if body:
            script.write(f'wrk.method = "POST"\nwrk.body = [[{body.decode()}]]\n')
            script.flush()
        wrk = ["taskset", "--cpu-list", "1", "wrk", "--threads", "1"]
        wrk += ["--connections", str(CONNECTIONS), "--duration", f"{seconds}s"]
        done = subprocess.run(
            [*wrk, "--script", script.name, f"{url}/"], capture_output=True, text=True, check=True
        ).stdout
    assert "Non-2xx" not in done, done
    assert "Socket errors" not in done, done
    found = re.search(r"(\d+) requests in ([\d.]+)s", done)
    assert found, done
    return int(found[1]), float(found[2])


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in children for member in _family(int(child)))]


def _cpu_seconds(pid: int) -> float:
    ticks = 0
    for member in _family(pid):
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _memory(pid: int, field: str) -> int:
    kibibytes = 0
    for member in _family(pid):
        text = Path(f"/proc/{member}/smaps_rollup").read_text()
        found = re.search(rf"^{field}: +(\d+)", text, re.MULTILINE)
        assert found, text
        kibibytes += int(found[1])
    return kibibytes // 1024


def _time_start(server: Server) -> float:
    started = time.perf_counter()
    with running(server):
        return time.perf_counter() - started


def _is_open(url: str) -> bool:
    return b" 200 " in _exchange(url, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")[:20]


def _exchange(url: str, request: bytes) -> bytes:
    """Send bytes and read what comes back within a moment."""
    host, port = url.removeprefix("http://").split(":")
    answer = b""
    try:
        with socket.create_connection((host, int(port)), timeout=0.5) as connection:
            connection.sendall(request)
            while more := connection.recv(65_536):
                answer += more
    except OSError:
        time.sleep(POLL_SECONDS)
    return answer


def _show_odd_answers(servers: dict[str, Server]) -> None:
    for what, request in ODD_REQUESTS.items():
        for name, server in servers.items():
            head, _, body = _exchange(server.url, request).partition(b"\r\n\r\n")
            kind = re.search(rb"(?i)content-type: ([^\r]*)", head)
            shown = [head.split(b"\r\n")[0], kind[1] if kind else b"", b"%d bytes" % len(body)]
            text = b", ".join(shown).decode(errors="backslashreplace") if head else "nothing"
            print(f"{what}, {name}: {text}")
