"""Measure what work costs, check the capacity model on this machine, then ask it what more would carry.

What is measured goes into results/simulation.md beside what is simulated; what cannot be measured here, such
as ten machines, is simulated only once it was seen how far the model is off for what can.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks import scale
from tests.benchmarks.capacity import Costs, Setup
from tests.benchmarks.cluster import CLIENTS, PROCESSES, open_cluster
from tests.benchmarks.costs import make_crowd, measure_costs
from tests.benchmarks.drawing import Bar, draw_bars
from tests.benchmarks.harness import SHORT, Pace, in_rounds, middle, require_wrk
from tests.benchmarks.meter import Meter, Metered
from tests.benchmarks.report import Section, Table, show_number
from tests.benchmarks.runs import Outcome, run_closed
from tests.benchmarks.scenarios import SCENARIOS
from tests.benchmarks.seeding import Crowd
from tests.benchmarks.simulated import House
from tests.benchmarks.stage import open_stage
from tests.benchmarks.storage import PerComment, measure_storage
from tests.processes import ServerMissing

KINDS = {"hits": "page of 20 comments", "taken": "submission"}


def main(pace: Pace) -> None:
    require_wrk()
    try:
        costs, stored, checked = _measure(pace)
    except ServerMissing as error:
        print(f"This needs PostgreSQL, Redis and nginx: {error}")
        return
    seconds = 0.3 if pace is SHORT else 1.0
    with _section("costs", pace) as section:
        section.add_table(scale.list_costs(costs))
        section.add_table(scale.list_storage(stored))
    with _section("check", pace) as section:
        _check(section, costs, checked)
    with _section("capacity", pace) as section:
        section.add_table(scale.list_setups())
        section.add_table(scale.list_capacity(costs))
        section.add_plot(
            "simulation-processes",
            "What is stored and decided in a second, by processes",
            scale.draw_processes(costs, seconds),
        )
    with _section("forecasts", pace) as section:
        disk = stored["PostgreSQL"].tables + stored["PostgreSQL"].indexes
        for scenario in SCENARIOS:
            section.say(scenario.describe())
            section.add_table(scale.list_forecasts(scenario, costs, disk, seconds))


@contextmanager
def _section(name: str, pace: Pace) -> Iterator[Section]:
    """Open a section of the page, and write it at the end."""
    section = Section(f"simulation-{name}", "make bench-simulation", pace, pace.describe())
    yield section
    section.write()


Checked = Mapping[tuple[str, int], Sequence[Metered]]


def _measure(pace: Pace) -> tuple[Costs, dict[str, PerComment], Checked]:
    seconds = pace.seconds * pace.rounds
    with TemporaryDirectory() as name, open_stage(Path(name), Crowd({})) as stage:
        stored = {"SQLite": measure_storage(Path(name), stage, seconds)}
    with TemporaryDirectory() as name, open_cluster(Path(name), make_crowd(pace)) as cluster:
        folder, meter = Path(name), Meter(Path(name), cluster, pace)
        stored["PostgreSQL"] = measure_storage(folder, cluster.stage, seconds)
        sides = {
            f"{kind} {count}": partial(meter.send, proxy, kind, CLIENTS)
            for kind in KINDS
            for count, proxy in ((1, cluster.before_one), (PROCESSES, cluster.before_all))
        }
        for once in sides.values():
            once()
        found = in_rounds(sides, pace.rounds)
        checked = {(side.split()[0], int(side.split()[1])): one for side, one in found.items()}
        costs = measure_costs(folder, meter)
        meter.close()
    return costs, stored, checked


def _check(section: Section, costs: Costs, checked: Checked) -> None:
    """Simulate what was measured with other numbers of clients and processes than the costs were."""
    table = Table(
        [
            *(
                "checked with 32 clients",
                "simulation-processes",
                "core to itself",
                "1/s",
                "simulated",
                "ratio",
            ),
            *("µs CPU", "simulated"),
            *("p50, ms", "simulated", "p99, ms", "simulated", "batch", "simulated"),
        ]
    )
    bars = []
    for (kind, count), found in checked.items():
        speed = 1 - middle(found, lambda one: one.shares.others_seconds / one.shares.seconds)
        cores = {"nginx": 1, "service": count, "postgres": 1, "redis": 1}
        setup = Setup("", 1, 0, cores, is_one_core=True)
        house = House(setup, costs, has_one_site=True, speed=speed)
        outcome = run_closed(house, kind, CLIENTS, seconds=5)
        times = outcome.per_second[kind] / middle(found, lambda one: one.shares.sample.per_second)
        row = _compare(kind, found, outcome, speed)
        table.add(KINDS[kind], str(count), f"{speed:.0%}", *row[:2], show_number(times), *row[2:])
        name = f"{KINDS[kind]}, {count} process{'es' if count > 1 else ''}"
        bars.append(Bar(name, times, show_number(times), 1.0))
    section.add_table(table)
    drawing = draw_bars("Simulated requests a second, of those that were measured (1 is exact)", bars)
    section.add_plot("simulation-check", "The model against the measurement", drawing)


def _compare(kind: str, found: Sequence[Metered], outcome: Outcome, speed: float) -> list[str]:
    measured = [
        middle(found, lambda one: one.shares.sample.per_second),
        middle(found, lambda one: one.cost.total),
        middle(found, lambda one: one.shares.sample.p50_milliseconds),
        middle(found, lambda one: one.shares.sample.p99_milliseconds),
        1 / middle(found, lambda one: one.batches) if kind == "taken" else 0.0,
    ]
    simulated = [
        outcome.per_second[kind],
        outcome.use["core"] * speed / outcome.per_second[kind] * 1e6,
        outcome.quantile([kind], 0.5) * 1e3,
        outcome.quantile([kind], 0.99) * 1e3,
        outcome.mean_batch,
    ]
    pairs = zip(measured, simulated, strict=True)
    return [show_number(one) if one else "" for pair in pairs for one in pair]
