"""What a running service holds, looked at again and again: does it level off, or does it grow?"""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median

import httpx
import msgspec

from tests.benchmarks.machine import find_family, read_cpu_seconds
from tests.benchmarks.report import Table, show_number
from tests.installation import Installation

EVERY_SECONDS = 2.0
# What is growth, and what comes and goes with the callers: a tenth, and a few streams.
GROWTH, SLACK = 1.1, 10.0
# Two come and go with the callers and have bounds of their own, so they are shown and not judged.
SHOWN = {"streams", "entries of the cache"}
# By the names of the metrics.
GAUGES = {
    "greenroom_tasks": "tasks",
    "greenroom_streams": "streams",
    "greenroom_page_memory_entries": "entries of the cache",
}
LAG = "greenroom_event_loop_lag_seconds"


class Look(msgspec.Struct, frozen=True):
    """What the processes of a service held at one moment, all of them together, by what it is."""

    held: dict[str, float]


class Watch:
    """Looks at a service from time to time, and counts what its logs say."""

    def __init__(self, blog: Installation) -> None:
        self._blog = blog
        self._roots = [server.pid for server in blog.servers]
        self._cpu_seconds = read_cpu_seconds(self._roots)
        self.looks: list[Look] = []
        self._metrics = ""

    async def watch(self) -> None:
        """Look every other second, until cancelled."""
        async with self._blog.clients(1) as [client]:
            while True:
                await asyncio.sleep(EVERY_SECONDS)
                with suppress(httpx.TransportError):
                    self._metrics = (await client.get("/metrics")).text
                    values = _read_values(self._metrics)
                    gauges = {what: values[name] for name, what in GAUGES.items()}
                    self.looks.append(Look({**_look_at(self._roots), **gauges}))

    def cpu_seconds(self) -> float:
        """Give the time on a processor that the service has taken since this began."""
        return read_cpu_seconds(self._roots) - self._cpu_seconds

    def late_share(self) -> float:
        """Give how often the event loop was late by a tenth of a second, as on a machine that is too busy."""
        values = _read_values(self._metrics)
        return 1 - values[f'{LAG}_bucket{{le="0.1"}}'] / values[f"{LAG}_count"]

    def compare(self) -> tuple[Table, list[str]]:
        """Give the medians of the thirds of the time, and what has grown from the first to the last."""
        table = Table(["what", "first third", "second", "last third", "last to first"])
        third = max(1, len(self.looks) // 3)
        grown = []
        for name in self.looks[0].held:
            values = [look.held[name] for look in self.looks]
            parts = [median(values[start * third :][:third]) for start in range(3)]
            table.add(name, *map(show_number, parts), f"{parts[2] / (parts[0] or 1):.2f}")
            if name not in SHOWN and parts[2] > parts[0] * GROWTH + SLACK:
                grown.append(name)
        return table, grown

    def read_logs(self) -> tuple[Counter[str], list[str]]:
        """Count the lines of each level and event but information, and give those of level error."""
        said: Counter[str] = Counter()
        errors = []
        for line in self._blog.logs().splitlines():
            level, event = _read_record(line)
            if level != "info":
                said[f"{level}: {event}"] += 1
            if level not in {"info", "warning"}:
                errors.append(line)
        return said, errors


def _read_record(line: str) -> tuple[str, str]:
    with suppress(ValueError, TypeError, KeyError):
        record = json.loads(line)
        return record["level"], record["event"]
    # It was written past the logs, as by an interpreter that fails.
    return "no record", line[:80]


def _look_at(roots: Sequence[int]) -> dict[str, float]:
    totals = dict.fromkeys(("memory, MiB", "threads", "open files"), 0.0)
    for pid in find_family(roots):
        # A process may end while one looks.
        with suppress(OSError):
            place = Path(f"/proc/{pid}")
            status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
            totals["memory, MiB"] += int(status.get("VmRSS", "0 kB").split()[0]) / 1024
            totals["threads"] += int(status["Threads"])
            totals["open files"] += len(list((place / "fd").iterdir()))
    return totals


def _read_values(metrics: str) -> dict[str, float]:
    lines = (line.rpartition(" ") for line in metrics.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}
