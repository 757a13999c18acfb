"""Measure several processes: three behind a proxy with one, and how soon all show a decision.

All processes share one core, so that nothing is gained by there being three: what is looked for is what it
costs. On cores of their own each has this CPU time to itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from tests.benchmarks import engines, showing
from tests.benchmarks.harness import Load, Pace, Sample, in_rounds, middle, require_wrk, run_wrk
from tests.benchmarks.machine import SERVER_CORE, on_core, read_cpu_seconds
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
def open_cluster(folder: Path) -> Iterator[Cluster]:
    """Run three processes on one PostgreSQL and one Redis, and two proxies."""
    with ExitStack() as stack:
        stage = stack.enter_context(open_big_stage(folder, Crowd({ARTICLE: 20})))
        with on_core(SERVER_CORE):
            more = [
                stack.enter_context(start_service(folder, stage.environment))
                for _ in range(PROCESSES - 1)
            ]
            processes = [stage.server, *more]
            proxies = [
                stack.enter_context(start_upstream_nginx(chosen))
                for chosen in (processes[:1], processes)
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
        sides = {
            count: partial(_send, cluster, proxy, path, body, pace)
            for count, proxy in (("1", cluster.before_one), ("3", cluster.before_all))
        }
        for send in sides.values():
            send()
        for count, found in in_rounds(sides, pace.rounds).items():
            table.add(what, count, *_describe(found))
    return table


def _send(cluster: Cluster, proxy: Server, path: str, body: Path | None, pace: Pace) -> Shares:
    """Send a load through a proxy, and tell what each part took for one answer."""
    postgres, redis = cluster.stage.servers_below
    parts = {
        "service": [one.pid for one in cluster.processes],
        "nginx": [proxy.pid],
        "PostgreSQL": [postgres.pid],
        "Redis": [redis.pid],
    }
    roots = [pid for pids in parts.values() for pid in pids]
    before = {name: read_cpu_seconds(pids) for name, pids in parts.items()}
    sample = run_wrk(Load(proxy.url + path, roots, connections=CLIENTS, body=body), pace.seconds)
    spent = {name: read_cpu_seconds(pids) - before[name] for name, pids in parts.items()}
    return Shares(sample, {name: one / sample.requests * 1e6 for name, one in spent.items()})


def _describe(found: Sequence[Shares]) -> list[str]:
    samples = [one.sample for one in found]
    figures = [
        middle(samples, lambda sample: sample.per_second),
        middle(samples, lambda sample: sample.p99_milliseconds),
        middle(samples, lambda sample: sample.cpu_microseconds),
    ]
    parts = [middle([one.parts[name] for one in found], float) for name in found[0].parts]
    return [show_number(figure) for figure in [*figures, *parts]]
