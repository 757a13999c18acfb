"""Measuring servers side by side: the server on one core, the load on the other, round by round in turn.

A machine is slower at one moment than at another, so a figure means little alone. What is compared is
measured alternately within one run, and a ratio is the median of the ratios of the rounds.
"""

import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from statistics import median
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from tests.benchmarks.machine import LOAD_CORE, on_core, read_cpu_seconds
from tests.processes import bound_to_us

SCRIPT = Path(__file__).with_name("wrk.lua")
# A request may take longer than a cell where a peer is slow; what is still under way then is waited for.
PATIENCE_SECONDS = 60

M = TypeVar("M")


class Pace(msgspec.Struct, frozen=True):
    """How long to measure: seconds of load in a cell, and how many rounds of all cells."""

    name: str
    seconds: int
    rounds: int

    def describe(self) -> str:
        return f"the median of {self.rounds} rounds of {self.seconds} s for each line"


SHORT = Pace("short", seconds=1, rounds=2)
USUAL = Pace("usual", seconds=2, rounds=5)
FULL = Pace("full", seconds=5, rounds=7)
PACES = {pace.name: pace for pace in (SHORT, USUAL, FULL)}


class Load(msgspec.Struct, frozen=True):
    """What wrk sends to a family of processes, whose CPU time is counted."""

    url: str
    roots: Sequence[int]
    connections: int = 16
    headers: Mapping[str, str] = {}
    body: Path | None = None
    """A template of a body to be posted, as `wrk.lua` fills it."""
    media_type: str = "application/json"
    taken: str | None = None
    """What the body of an answer has to hold, for servers that say 200 to what they refuse."""
    status: int | None = None
    """The status that is good in place of any below 400, with a body."""


class Sample(msgspec.Struct, frozen=True):
    """What one cell came to. `good` answers alone are counted."""

    per_second: float
    cpu_microseconds: float
    p50_milliseconds: float
    p99_milliseconds: float
    requests: int
    bad: int

    @property
    def per_cpu_second(self) -> float:
        return 1e6 / self.cpu_microseconds


def require_wrk() -> None:
    """End with a line that says what to install, if wrk is not there, or say that there is one core only."""
    if shutil.which("wrk") is None:
        sys.exit("These benchmarks send their load with wrk: apt-get install wrk")
    if (os.cpu_count() or 1) < 2:
        sys.exit("These benchmarks keep the server and its load on two cores; there is only one.")


def run_wrk(load: Load, seconds: int) -> Sample:
    """Send a load for some seconds."""
    with on_core(LOAD_CORE):
        before = read_cpu_seconds(load.roots)
        done = subprocess.run(
            _wrk_command(load, seconds),
            env={**os.environ, **_variables(load)},
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds + PATIENCE_SECONDS,
        )
        spent = read_cpu_seconds(load.roots) - before
    return _read_sample(done.stdout + done.stderr, spent)


@contextmanager
def sending(load: Load, most_seconds: int = 300) -> Iterator[None]:
    """Send a load for as long as the block lasts."""
    command = [*bound_to_us(), *_wrk_command(load, most_seconds)]
    with on_core(LOAD_CORE):
        wrk = subprocess.Popen(
            command,
            env={**os.environ, **_variables(load)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    try:
        yield
    finally:
        wrk.terminate()
        wrk.wait()


def _wrk_command(load: Load, seconds: int) -> list[str]:
    command = ["wrk", "-t1", f"-c{load.connections}", f"-d{seconds}s"]
    command += ["--timeout", f"{PATIENCE_SECONDS}s", "-s", str(SCRIPT)]
    for name, value in load.headers.items():
        command += ["-H", f"{name}: {value}"]
    return [*command, load.url]


def _variables(load: Load) -> dict[str, str]:
    if load.body is None:
        return {}
    # Another run sends other texts, since the same one twice is refused.
    given = {"BENCH_RUN": f"{time.time_ns():x}", "BENCH_BODY": str(load.body)}
    given["BENCH_TYPE"] = load.media_type
    if load.status:
        given["BENCH_STATUS"] = str(load.status)
    return {**given, "BENCH_TAKEN": load.taken} if load.taken else given


def _read_sample(output: str, cpu_seconds: float) -> Sample:
    _, found, line = output.partition("\nJSON ")
    if not found:
        raise RuntimeError(f"wrk failed: {output[-500:]}")
    read = json.loads(line)
    good = read["good"]
    if not good:
        raise RuntimeError(f"not one good answer: {read}")
    return Sample(
        per_second=good / read["microseconds"] * 1e6,
        cpu_microseconds=cpu_seconds / good * 1e6,
        p50_milliseconds=read["p50"] / 1e3,
        p99_milliseconds=read["p99"] / 1e3,
        requests=good,
        bad=read["requests"] - good + read["broken"],
    )


def in_rounds(sides: Mapping[str, Callable[[], M]], rounds: int) -> dict[str, list[M]]:
    """Measure all sides in turn, as often as there are rounds; every other round goes backwards."""
    found: dict[str, list[M]] = {name: [] for name in sides}
    names = list(sides)
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            found[name].append(sides[name]())
    return found


def run_in_rounds(loads: Mapping[str, Load], pace: Pace) -> dict[str, list[Sample]]:
    """Send loads in turn, after each was sent for a second that does not count."""
    for load in loads.values():
        run_wrk(load, 1)
    return in_rounds({name: _sender(load, pace) for name, load in loads.items()}, pace.rounds)


def _sender(load: Load, pace: Pace) -> Callable[[], Sample]:
    return lambda: run_wrk(load, pace.seconds)


def middle(samples: Iterable[M], measure: Callable[[M], float]) -> float:
    """Give the median of one measure."""
    return median(measure(sample) for sample in samples)


def ratio(ours: Sequence[M], theirs: Sequence[M], measure: Callable[[M], float]) -> float:
    """Give how many times theirs ours is: the median of the rounds' ratios."""
    pairs = zip(ours, theirs, strict=True)
    return median(measure(one) / measure(other) for one, other in pairs)


class Spent(msgspec.Struct, frozen=True):
    """What requests that were sent one after the other took, each."""

    cpu_microseconds: float
    milliseconds: float
    answers: list[bytes]


class Request(msgspec.Struct, frozen=True):
    """One request and the status that it has to be answered with."""

    path: str
    method: str = "GET"
    body: bytes | None = None
    headers: Mapping[str, str] = {}
    status: int = 200


class Client(AbstractContextManager["Client"]):
    """One connection, over which requests are sent one after the other."""

    def __init__(self, url: str, roots: Sequence[int]) -> None:
        place = urlsplit(url)
        self._roots = roots
        self._connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=60)

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(self, request: Request) -> bytes:
        """Send one request and give the body of its answer; another status than expected is an error."""
        self._connection.request(request.method, request.path, request.body, dict(request.headers))
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == request.status, (request, answer.status, body[:500])
        return body

    def measure(self, requests: Sequence[Request]) -> Spent:
        """Send requests and give the CPU time and the time that one took on average."""
        # The server has closed a connection that was idle for some seconds; a new one is made by itself.
        self._connection.close()
        with on_core(LOAD_CORE):
            cpu, started = read_cpu_seconds(self._roots), time.perf_counter()
            answers = [self.send(request) for request in requests]
            took = time.perf_counter() - started
            cpu = read_cpu_seconds(self._roots) - cpu
        return Spent(cpu / len(requests) * 1e6, took / len(requests) * 1e3, answers)
