"""The machine beneath a benchmark: its cores, and what a tree of processes takes of it. Linux only."""

import os
import platform
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SERVER_CORE = 0
LOAD_CORE = 1
# The last three bits of the number of another process's clock: all its threads, as scheduled
# (`MAKE_PROCESS_CPUCLOCK` and `CPUCLOCK_SCHED` in the kernel's posix-timers.h).
SCHEDULED = 2


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Keep what this thread does on one core, and so the processes that it starts meanwhile."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core} & before or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def find_family(roots: Iterable[int]) -> list[int]:
    """Give processes with all that descend from them."""
    found, waiting = [], list(roots)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            with suppress(OSError):
                waiting += map(int, children.read_text().split())
    return found


def read_cpu_seconds(roots: Iterable[int]) -> float:
    """Give the CPU time that the living processes of these families have taken, to the nanosecond."""
    return sum(_read_process_clock(pid) for pid in find_family(roots))


def read_busy_seconds(core: int) -> float:
    """Give for how long a core has worked for anybody since the machine started, to ten milliseconds.

    What a host took from this machine, if it is a virtual one, counts too.
    """
    lines = Path("/proc/stat").read_text().splitlines()
    # user, nice, system, idle, iowait, irq, softirq, steal (proc(5)); the others are parts of these.
    ticks = next(line for line in lines if line.startswith(f"cpu{core} ")).split()[1:9]
    del ticks[3:5]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def _read_process_clock(pid: int) -> float:
    with suppress(OSError):
        return time.clock_gettime((~pid << 3) | SCHEDULED)
    return 0.0


def read_memory(roots: Iterable[int]) -> tuple[float, float]:
    """Give RSS and PSS of these families in MiB; PSS counts shared pages once for all who share them."""
    totals = {"Rss": 0, "Pss": 0}
    for pid in find_family(roots):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in totals:
                totals[name] += int(value.split()[0])
    return totals["Rss"] / 1024, totals["Pss"] / 1024


def describe_machine() -> str:
    """Say what a figure was measured on."""
    return (
        f"{os.cpu_count()} cores ({_read_processor()}), Linux {platform.release().partition('-')[0]}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def _read_processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
