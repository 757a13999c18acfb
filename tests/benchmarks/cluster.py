"""Measure several processes: three behind a proxy with one, and how soon all show a decision.

All processes share one core, so that nothing is gained by there being three: what is looked for is what it
costs. On cores of their own each has this CPU time to itself.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from tests.benchmarks import engines, showing
from tests.benchmarks.harness import Load, Pace, Sample, in_rounds, middle, require_wrk, run_wrk
from tests.benchmarks.machine import SERVER_CORE, on_core, read_busy_seconds, read_cpu_seconds
from tests.benchmarks.report import Section, Table, show_number
from tests.benchmarks.seeding import Crowd
from tests.benchmarks.stage import Stage, make_submission, open_big_stage, page_path
from tests.installation import COMMENTS
from tests.processes import Server, ServerMissing
from tests.proxies import start_upstream_nginx
from tests.servers import start_service

PROCESSES = 3
CLIENTS = 32
ARTICLE = "/20"


class Cluster(msgspec.Struct, frozen=True):
    """Processes that share a database, a proxy in front of the first one, and another in front of all."""

    stage: Stage
    processes: Sequence[Server]
    before_one: Server
    before_all: Server


class Shares(msgspec.Struct, frozen=True):
    """What a load came to, and the microseconds of CPU that each part took for one answer."""

    sample: Sample
    parts: Mapping[str, float]
    seconds: float
    others_seconds: float
    """For how long something else had the core."""


def main(pace: Pace) -> None:
    require_wrk()
    section = Section("cluster", "make bench-cluster", pace, pace.describe())
    try:
        with TemporaryDirectory() as name, open_cluster(Path(name)) as cluster:
            section.add_table(_compare(Path(name), cluster, pace))
            section.add_table(showing.measure(cluster.stage, cluster.processes, pace))
        engines.measure(section, pace)
    except ServerMissing as error:
        section.say(f"Left out: {error}")
    section.write()


@contextmanager
def open_cluster(folder: Path, crowd: Crowd | None = None) -> Iterator[Cluster]:
    """Run three processes on one PostgreSQL and one Redis, and two proxies."""
    with ExitStack() as stack:
        stage = stack.enter_context(open_big_stage(folder, crowd or Crowd({ARTICLE: 20})))
        with on_core(SERVER_CORE):
            more = [
                stack.enter_context(start_service(folder, stage.environment)) for _ in range(PROCESSES - 1)
            ]
            processes = [stage.server, *more]
            proxies = [
                stack.enter_context(start_upstream_nginx(chosen)) for chosen in (processes[:1], processes)
            ]
        yield Cluster(stage, processes, *proxies)


def _compare(folder: Path, cluster: Cluster, pace: Pace) -> Table:
    table = Table(
        [
            *("what", "processes", "1/s", "p99, ms", "µs CPU", "in the service", "in nginx"),
            *("in PostgreSQL", "in Redis"),
        ]
    )
    template = folder / "submission.json"
    template.write_bytes(make_submission("/submissions"))
    for what, path, body in (
        ("page of 20 comments", page_path(ARTICLE), None),
        ("submission", COMMENTS, template),
    ):
        load = Load(path, [], connections=CLIENTS, body=body)
        sides = {
            count: partial(send, cluster, proxy, load, pace.seconds)
            for count, proxy in (("1", cluster.before_one), ("3", cluster.before_all))
        }
        for once in sides.values():
            once()
        for count, found in in_rounds(sides, pace.rounds).items():
            table.add(what, count, *_describe(found))
    return table


def send(cluster: Cluster, proxy: Server, load: Load, seconds: int) -> Shares:
    """Send a load through a proxy, and tell what each part took for one answer."""
    families = find_parts(cluster, proxy)
    roots = [pid for pids in families.values() for pid in pids]
    before, started = read_parts(families), time.perf_counter()
    busy = read_busy_seconds(SERVER_CORE)
    sample = run_wrk(msgspec.structs.replace(load, url=proxy.url + load.url, roots=roots), seconds)
    after, took = read_parts(families), time.perf_counter() - started
    spent = {name: after[name] - before[name] for name in families}
    others = read_busy_seconds(SERVER_CORE) - busy - sum(spent.values())
    parts = {name: one / sample.requests * 1e6 for name, one in spent.items()}
    return Shares(sample, parts, took, max(0.0, others))


def find_parts(cluster: Cluster, proxy: Server) -> dict[str, list[int]]:
    """Name the parts of a cluster, each with the processes whose CPU time is its own."""
    postgres, redis = cluster.stage.servers_below
    return {
        "service": [one.pid for one in cluster.processes],
        "nginx": [proxy.pid],
        "PostgreSQL": [postgres.pid],
        "Redis": [redis.pid],
    }


def read_parts(families: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """Give the CPU seconds that each part has taken."""
    return {name: read_cpu_seconds(pids) for name, pids in families.items()}


def _describe(found: Sequence[Shares]) -> list[str]:
    samples = [one.sample for one in found]
    figures = [
        middle(samples, lambda sample: sample.per_second),
        middle(samples, lambda sample: sample.p99_milliseconds),
        middle(samples, lambda sample: sample.cpu_microseconds),
    ]
    parts = [middle([one.parts[name] for one in found], float) for name in found[0].parts]
    return [show_number(figure) for figure in [*figures, *parts]]
