"""Everything at once for minutes: no answer is a fault of ours, no log line an error, and nothing grows.

`python -m tests.benchmarks.soak [sqlite | postgresql] … [--minutes N]`
"""

import asyncio
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import msgspec

from tests.benchmarks.callers import CUT, Callers
from tests.benchmarks.everyday import Everybody, a_day
from tests.benchmarks.harness import USUAL
from tests.benchmarks.report import Section, Table, show_number
from tests.benchmarks.stage import BEHIND_A_PROXY
from tests.benchmarks.watching import Watch
from tests.installation import install
from tests.processes import ServerMissing
from tests.servers import fresh_database, start_private_postgres, start_private_redis

# What a page of docs should say was measured for so long.
MINUTES = 10.0
# Small, so that the cache is full long before the end.
MEMORY = {"GREENROOM_PAGE_MEMORY_MIB": "2"}
# Before this share of the time is over, pools and memories fill; what they hold then says nothing.
WARMING_UP = 0.1


class Ground(msgspec.Struct, frozen=True):
    """What a service runs on, and how many processes it has."""

    database_url: str
    redis_url: str | None = None
    options: tuple[str, ...] = ()


@contextmanager
def on_sqlite(folder: Path) -> Iterator[Ground]:
    yield Ground(f"sqlite+aiosqlite:///{folder}/greenroom.sqlite3")


@contextmanager
def on_postgresql(_folder: Path) -> Iterator[Ground]:
    """Raises ServerMissing."""
    with ExitStack() as stack:
        postgres = stack.enter_context(start_private_postgres(is_durable=True))
        redis = stack.enter_context(start_private_redis())
        url = stack.enter_context(fresh_database(postgres.url))
        yield Ground(url, redis.url, ("--workers", "2"))


GROUNDS = {
    "sqlite": (on_sqlite, "one process on SQLite"),
    "postgresql": (on_postgresql, "two workers on PostgreSQL and Redis"),
}


class Ran(msgspec.Struct, frozen=True):
    """How it went: what was answered, what was held, and what was wrong."""

    everybody: Everybody
    watch: Watch
    seconds: float
    cpu_seconds: float
    log: str


async def run(folder: Path, ground: Ground, minutes: float) -> Ran:
    """Let everybody call a service for so long."""
    async with install(
        folder,
        ground.database_url,
        redis_url=ground.redis_url,
        options=ground.options,
        environment={**BEHIND_A_PROXY, **MEMORY},
    ) as blog:
        async with a_day(blog) as everybody:
            await asyncio.sleep(minutes * 60 * WARMING_UP)
            watch, started = Watch(blog), time.monotonic()
            watching = asyncio.create_task(watch.watch())
            await asyncio.sleep(minutes * 60 * (1 - WARMING_UP))
            watching.cancel()
            took, cpu = time.monotonic() - started, watch.cpu_seconds()
        return Ran(everybody, watch, took, cpu, blog.verify_log())


def show_answers(callers: Callers) -> tuple[Table, list[str]]:
    """Give how each kind of request was answered and how soon, and what must not have been."""
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    wrong = []
    for (kind, status), times in sorted(callers.statuses.items()):
        said = f"{'cut' if status == CUT else status}: {times:,}"
        kinds[kind].append(said)
        if status == CUT or status >= 500:
            wrong.append(f"{kind} {said}")
    table = Table(["request", "p50, ms", "p99, ms", "answers"])
    for kind, answers in kinds.items():
        took = sorted(callers.took[kind]) or [0.0]
        places = (len(took) // 2, len(took) * 99 // 100)
        table.add(kind, *(show_number(took[place] * 1e3) for place in places), ", ".join(answers))
    return table, wrong


def describe(ran: Ran, said: Mapping[str, int]) -> str:
    """Say in words what is in no table."""
    total = sum(ran.everybody.statuses.values())
    lines = "; ".join(f"{line} ({times:,})" for line, times in sorted(said.items())) or "none"
    outcomes = ", ".join(f"{times:,} {name}" for name, times in ran.everybody.outcomes.items())
    return (
        f"{total:,} requests, {ran.everybody.events:,} events by streams. Decisions: {outcomes}. "
        f"Lines of the log above information: {lines}. "
        f"The service took {ran.cpu_seconds / ran.seconds:.2f} of a core; its event loop was late by "
        f"more than a tenth of a second {ran.watch.late_share():.0%} of the time."
    )


def report(section: Section, ran: Ran) -> list[str]:
    """Show how it went; gives what must not have been."""
    answers, wrong = show_answers(ran.everybody)
    section.add_table(answers)
    print()
    held, grown = ran.watch.compare()
    section.add_table(held)
    said, errors = ran.watch.read_logs()
    section.say(describe(ran, said))
    print(ran.log)
    return [*wrong, *errors[:5], *(f"grows: {name}" for name in grown)]


@click.command()
@click.argument("grounds", nargs=-1, type=click.Choice(list(GROUNDS)))
@click.option("--minutes", default=MINUTES, help="For how long on each; ten go to the docs.")
def main(grounds: tuple[str, ...], minutes: float) -> None:
    """Let everybody call the service at once, on SQLite and then on PostgreSQL unless one is named."""
    # Who is told to end still stops the servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    wrong = []
    for name in grounds or GROUNDS:
        start, what = GROUNDS[name]
        print(f"\n=== {what}, {minutes:g} minutes ===\n", flush=True)
        section = Section(f"soak-{name}", "make bench-soak", USUAL, f"{what}, {minutes:g} minutes")
        try:
            with TemporaryDirectory() as folder, start(Path(folder)) as ground:
                ran = asyncio.run(run(Path(folder), ground, minutes))
                found = report(section, ran)
        except ServerMissing as error:
            print(f"Left out: {error}")
            continue
        if minutes >= MINUTES:
            section.write()
        wrong += found
    sys.exit("\n".join(["Must not have been:", *wrong]) if wrong else 0)


if __name__ == "__main__":
    main()
