"""Measure the engines for more: a standby, Redis by Sentinel and as a cluster, partitions by site."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from service.command_line import commands
from service.rate_limiting.fallback import Limiter, open_limits
from service.rate_limiting.redis import KEY_PREFIX
from service.rate_limiting.rules import Limit, Rule
from service.settings import Settings
from service.telemetry.metrics import Metrics
from tests.benchmarks.harness import Client, Load, Pace, Request, Sample, in_rounds, middle, run_wrk
from tests.benchmarks.machine import SERVER_CORE, on_core, read_cpu_seconds
from tests.benchmarks.report import Section, Table, show_number
from tests.benchmarks.seeding import Crowd
from tests.benchmarks.stage import (
    RAISED,
    Stage,
    make_submission,
    open_big_stage,
    open_stage,
    page_path,
)
from tests.installation import COMMENTS
from tests.processes import Server
from tests.proxies import start_private_nginx
from tests.redis_groups import RedisGroup, start_private_cluster, start_private_sentinel
from tests.servers import start_private_redis, start_private_standby, start_service

CLIENTS = 32
SECRET = b"benchmark"
# As many as a submission has, none of which is ever reached.
RULES = [Rule(name, Limit(1_000_000, 60), name) for name in ("ip", "address", "article", "site")]
CALLS = 500
PAGES_A_ROUND = 60
# How long a fail-over may last before something is wrong.
PATIENCE_SECONDS = 30


def measure(section: Section, pace: Pace) -> None:
    """Measure each engine beside going without it."""
    section.add_table(_measure_standby(pace))
    section.add_table(asyncio.run(_measure_redis(pace)))
    section.add_table(_measure_partitions(pace))


def _measure_standby(pace: Pace) -> Table:
    """Read pages that are in no memory, with a standby and without one."""
    table = Table(["a page of 50 in no memory", "µs CPU in the service", "in PostgreSQL", "in its standby"])
    articles = {f"/{number}": 50 for number in range(20)}
    with TemporaryDirectory() as name, ExitStack() as stack:
        stage = stack.enter_context(open_big_stage(Path(name), Crowd(articles)))
        first, _ = stage.servers_below
        with on_core(SERVER_CORE):
            standby = stack.enter_context(start_private_standby(first))
            database = stage.environment["GREENROOM_DATABASE_URL"].rpartition("/")[2]
            url = standby.url.rpartition("/")[0] + f"/{database}"
            environment = {**stage.environment, "GREENROOM_STANDBY_URL": url}
            other = stack.enter_context(start_service(Path(name), environment))
        sides = {
            words: partial(_read_cold, Cold(server, first, standby), list(articles))
            for words, server in (("from the database", stage.server), ("from a standby", other))
        }
        for words, found in in_rounds(sides, pace.rounds).items():
            parts = [middle([one[place] for one in found], float) for place in range(3)]
            table.add(words, *map(show_number, parts))
    return table


class Cold(msgspec.Struct, frozen=True):
    """A process and the databases beneath it."""

    service: Server
    first: Server
    standby: Server


_sizes = iter(range(1, 1_000_000))


def _read_cold(cold: Cold, articles: Sequence[str]) -> list[float]:
    """Read pages of sizes that were not asked for before; gives the microseconds of each server for one."""
    roots = [[one.pid] for one in (cold.service, cold.first, cold.standby)]
    pages = [
        page_path(articles[number % len(articles)], limit=50 + number // len(articles) % 150)
        for number, _ in zip(_sizes, range(PAGES_A_ROUND), strict=False)
    ]
    with Client(cold.service.url, []) as client:
        before = [read_cpu_seconds(pids) for pids in roots]
        client.measure([Request(page) for page in pages])
        spent = [read_cpu_seconds(pids) - then for pids, then in zip(roots, before, strict=True)]
    return [one / len(pages) * 1e6 for one in spent]


async def _measure_redis(pace: Pace) -> Table:
    """Call the limiter on each kind of Redis, and lose the master under it."""
    table = Table(["the limiter on", "µs CPU a call", "master lost: tries refused", "back after, s"])
    starts: Mapping[str, Callable[[], AbstractContextManager[RedisGroup | Server]]] = {
        "one Redis": start_private_redis,
        "a master named by Sentinel": start_private_sentinel,
        "a cluster of three": partial(start_private_cluster, KEY_PREFIX),
    }
    async with AsyncExitStack() as stack:
        groups = {name: stack.enter_context(start()) for name, start in starts.items()}
        limiters = {
            name: (await stack.enter_async_context(open_limits(one.url, SECRET, Metrics())))[0]
            for name, one in groups.items()
        }
        costs: dict[str, list[float]] = {name: [] for name in limiters}
        for _ in range(pace.rounds):
            for name, limiter in limiters.items():
                costs[name].append(await _time_calls(limiter))
        for name, limiter in limiters.items():
            group = groups[name]
            lost = await _lose_master(limiter, group) if isinstance(group, RedisGroup) else ["", ""]
            table.add(name, show_number(middle(costs[name], float)), *lost)
    return table


async def _time_calls(limiter: Limiter) -> float:
    """Give the microseconds of this process that one call takes, one after the other."""
    await limiter.charge(RULES)
    started = time.process_time()
    for _ in range(CALLS):
        await limiter.charge(RULES)
    return (time.process_time() - started) / CALLS * 1e6


async def _lose_master(limiter: Limiter, group: RedisGroup) -> list[str]:
    """Kill the master while tries are counted; tells of those that failed, and when Redis counts again."""
    group.master.kill()
    started, refused = time.perf_counter(), 0
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            verdict = await limiter.charge(RULES)
            refused += verdict.refused is not None
            if verdict.taken_by == "redis" and group.replica_leads:
                return [str(refused), show_number(time.perf_counter() - started)]
            await asyncio.sleep(0.01)


def _measure_partitions(pace: Pace) -> Table:
    """Submit to one installation, and to two of them at once, behind one proxy and on one core."""
    table = Table(["submissions through one proxy to", "1/s", "µs CPU in an installation"])
    with TemporaryDirectory() as name, ExitStack() as stack:
        east, west = (stack.enter_context(_open_part(Path(name, one))) for one in ("east", "west"))
        changes = {
            r"127\.0\.0\.1:8001": east.url.removeprefix("http://"),
            r"127\.0\.0\.1:8002": west.url.removeprefix("http://"),
        }
        with on_core(SERVER_CORE):
            proxy = stack.enter_context(start_private_nginx("nginx-partitions.conf", changes))
        body = Path(name, "submission.json")
        body.write_bytes(make_submission("/submissions"))
        load = Load(proxy.url + COMMENTS, east.roots, connections=CLIENTS, body=body)
        half = msgspec.structs.replace(load, connections=CLIENTS // 2)
        other = msgspec.structs.replace(half, url=load.url.replace("/blog/", "/elsewhere/"), roots=west.roots)
        sides = {
            "one installation": partial(_send_all, [load], pace),
            "two installations, a site in each": partial(_send_all, [half, other], pace),
        }
        for words, found in in_rounds(sides, pace.rounds).items():
            rates = [sum(one.per_second for one in samples) for samples in found]
            costs = [one.cpu_microseconds for samples in found for one in samples]
            table.add(words, show_number(middle(rates, float)), show_number(middle(costs, float)))
    return table


@contextmanager
def _open_part(folder: Path) -> Iterator[Stage]:
    """Run an installation in which both sites of the cast take whatever comes."""
    folder.mkdir()
    with open_stage(folder, Crowd({"/submissions": 1})) as stage:
        asyncio.run(_raise_limits(stage.settings))
        yield stage


async def _raise_limits(settings: Settings) -> None:
    async with commands.working(settings) as services:
        await commands.set_site(services, "elsewhere", RAISED)


def _send_all(loads: Sequence[Load], pace: Pace) -> list[Sample]:
    """Send several loads at the same time."""
    with ThreadPoolExecutor(len(loads)) as pool:
        return list(pool.map(partial(run_wrk, seconds=pace.seconds), loads))
