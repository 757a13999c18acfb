"""Measure ours beside the peers, by the harness that lies outside of this repository.

The harness starts each server and fills it with the same comments; all of them are then measured here in
turn, so that each ratio is one between neighbours of the same round.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from tests.benchmarks.drawing import Bar, draw_bars
from tests.benchmarks.harness import (
    Load,
    Pace,
    Sample,
    in_rounds,
    middle,
    ratio,
    require_wrk,
    run_wrk,
)
from tests.benchmarks.machine import read_cpu_seconds
from tests.benchmarks.paused_peer import Ready
from tests.benchmarks.peer_setup import (
    PeerMissing,
    find_harness,
    prepare_isso,
    prepare_waline,
    prepare_wordpress,
)
from tests.benchmarks.report import Section, Table, show_number, show_ratio
from tests.processes import REPOSITORY

OURS = "Greenroom on SQLite"
BIG = "Greenroom on PostgreSQL and Redis"
ISSO, WALINE, WORDPRESS = "Isso", "Waline", "WordPress"
RUN_GREENROOM = str(Path(__file__).with_name("run_greenroom.py"))
START_SECONDS = 240
# A peer may take seconds for the page of an article with 2,000 comments.
SLOW_SECONDS = 5
SETTLE_SECONDS = 20


class Cell(msgspec.Struct, frozen=True):
    """One thing that every server is asked for, and how many times the peers' rate ours should be."""

    name: str
    connections: int
    targets: Mapping[str, float]
    article: str | None = None
    seconds: int = 0


CELLS = [
    Cell("page of an article with 20 comments", 16, {ISSO: 200, WALINE: 150, WORDPRESS: 300}, "a20"),
    Cell("page of an article with 2,000 comments", 1, {}, "a2000", SLOW_SECONDS),
    Cell("submission", 32, {ISSO: 8}),
]


def main(pace: Pace) -> None:
    require_wrk()
    section = Section("peers", "make bench-peers", pace, pace.describe())
    with ExitStack() as stack:
        servers = dict(_start_all(stack, section))
        for cell in CELLS:
            samples = _measure(servers, cell, pace)
            section.say(f"One {cell.name}, {cell.connections} connections:")
            section.add_table(_compare(cell, samples))
            if cell.targets:
                name = "peers-" + (cell.article or "submission")
                section.add_plot(name, f"Ours beside the peers: {cell.name}", _draw(cell, samples))
    section.write()


def _start_all(stack: ExitStack, section: Section) -> Iterator[tuple[str, Ready]]:
    """Start every server that can be had; the section says which could not, and why."""
    harness = find_harness()
    scripts: dict[str, tuple[str, Callable[[], list[str]]]] = {
        OURS: (RUN_GREENROOM, lambda: [os.devnull, "sqlite"]),
        BIG: (RUN_GREENROOM, lambda: [os.devnull, "postgres"]),
        ISSO: (str(harness / "run_isso.py"), prepare_isso),
        WALINE: (str(harness / "run_waline.py"), prepare_waline),
        WORDPRESS: (str(harness / "run_wordpress.py"), prepare_wordpress),
    }
    for name, (script, prepare) in scripts.items():
        try:
            ready = stack.enter_context(_paused(harness, [script, *prepare()]))
        except PeerMissing as error:
            section.say(f"{name} was left out: {error}.")
        else:
            print(f"{name} is ready", flush=True)
            yield name, ready


@contextmanager
def _paused(harness: Path, command: Sequence[str]) -> Iterator[Ready]:
    """Run a script of the harness up to where it would measure, for the length of a block."""
    with TemporaryDirectory(prefix="greenroom-peer-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        # Databases run under an account of their own, which keeps its files here too.
        folder.chmod(0o1777)
        ready, log = folder / "ready.json", folder / "log"
        paused = [sys.executable, "-m", "tests.benchmarks.paused_peer", str(harness), str(ready)]
        with log.open("wb") as output:
            peer = subprocess.Popen(
                [*paused, *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=REPOSITORY,
                env={**os.environ, "TMPDIR": name, "PYTHONPATH": f"{REPOSITORY}:{harness}"},
            )
        try:
            yield _wait(peer, ready, log)
        finally:
            peer.communicate(timeout=60)


def _wait(peer: subprocess.Popen[bytes], file: Path, log: Path) -> Ready:
    end = time.monotonic() + START_SECONDS
    while not file.exists() or not file.read_bytes():
        if peer.poll() is not None or time.monotonic() > end:
            raise PeerMissing(log.read_text(errors="replace").strip().rpartition("\n")[2])
        time.sleep(0.1)
    return msgspec.json.decode(file.read_bytes(), type=Ready)


def _measure(servers: Mapping[str, Ready], cell: Cell, pace: Pace) -> dict[str, list[Sample]]:
    seconds = max(pace.seconds, cell.seconds)
    loads = {name: _load(ready, cell) for name, ready in servers.items()}
    for load in loads.values():
        _run(load, seconds)
    return in_rounds({name: _runner(load, seconds) for name, load in loads.items()}, pace.rounds)


def _load(ready: Ready, cell: Cell) -> Load:
    if cell.article:
        return Load(ready.reads[cell.article], ready.roots, cell.connections)
    given = ready.write_environment
    return Load(
        ready.write,
        ready.roots,
        cell.connections,
        body=Path(given["PB_BODY"]),
        media_type=given["PB_HEADERS"].partition(": ")[2],
        taken=given.get("PB_ACK"),
    )


def _runner(load: Load, seconds: int) -> Callable[[], Sample]:
    return lambda: _run(load, seconds)


def _run(load: Load, seconds: int) -> Sample:
    """Send a load, then wait until what its clients left behind has been worked off."""
    sample = run_wrk(load, seconds)
    end = time.monotonic() + SETTLE_SECONDS
    spent = read_cpu_seconds(load.roots)
    while time.monotonic() < end:
        time.sleep(0.2)
        before, spent = spent, read_cpu_seconds(load.roots)
        if spent - before < 0.02:
            break
    return sample


def _compare(cell: Cell, samples: Mapping[str, list[Sample]]) -> Table:
    table = Table(
        [
            *("server", "1/s", "per second of CPU", "p50, ms", "p99, ms"),
            *("ours is", "by CPU", "target"),
        ]
    )
    for name, found in samples.items():
        ours, target = samples[OURS], cell.targets.get(name)
        table.add(
            name,
            show_number(middle(found, lambda sample: sample.per_second)),
            show_number(middle(found, lambda sample: sample.per_cpu_second)),
            show_number(middle(found, lambda sample: sample.p50_milliseconds)),
            show_number(middle(found, lambda sample: sample.p99_milliseconds)),
            show_ratio(ratio(ours, found, lambda sample: sample.per_second)),
            show_ratio(ratio(ours, found, lambda sample: sample.per_cpu_second)),
            f"at least {target:g}x" if target else "",
        )
    return table


def _draw(cell: Cell, samples: Mapping[str, list[Sample]]) -> str:
    bars = []
    for name, target in cell.targets.items():
        if name in samples:
            times = ratio(samples[OURS], samples[name], lambda sample: sample.per_second)
            bars.append(Bar(name, times, show_ratio(times), target))
    return draw_bars(f"One {cell.name}: how many times the peer's rate ours is", bars)
