"""Measure what work costs, check the capacity model on this machine, then ask it what more would carry.

What is measured goes into docs/scale.md beside what is simulated; what cannot be measured here, such as ten
machines, is simulated only once it was seen how far the model is off for what can.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.capacity import (
    PARTS,
    Costs,
    Setup,
    most_decided_on_one_site,
    most_per_second,
    most_taken_on_one_site,
)
from tests.benchmarks.cluster import CLIENTS, PROCESSES, open_cluster
from tests.benchmarks.costs import Meter, Metered, make_crowd, measure_costs
from tests.benchmarks.drawing import Bar, draw_bars, draw_lines
from tests.benchmarks.harness import SHORT, Pace, in_rounds, middle, require_wrk
from tests.benchmarks.report import Section, Table, show_number
from tests.benchmarks.scenarios import (
    ROUND_TRIP_SECONDS,
    SCENARIOS,
    SETUPS,
    Forecast,
    forecast,
)
from tests.benchmarks.seeding import Crowd
from tests.benchmarks.simulated import House, Outcome, run_closed
from tests.benchmarks.stage import open_stage
from tests.benchmarks.storage import PerComment, measure_storage
from tests.processes import REPOSITORY, ServerMissing

PAGE = REPOSITORY / "docs" / "scale.md"
KINDS = {"hits": "page of 20 comments", "taken": "submission"}
COSTS = {
    "hit": "read, from memory",
    "miss": "read, from the database",
    "swept_page": "comparing a page in use with the database",
    "refused": "submission, up to the limiter's answer",
    "limiter_call": "call of Redis, which such tries share",
    "taken": "submission that is stored, in all",
    "commit": "transaction, which such submissions share",
    "decision_request": "request with decisions",
    "decision": "decision in it",
}
PROCESS_COUNTS = (1, 2, 4, 8, 16, 32, 64)


def main(pace: Pace) -> None:
    require_wrk()
    section = Section("scale", "make bench-simulation", pace, pace.describe(), page=PAGE)
    try:
        costs, stored, checked = _measure(pace)
    except ServerMissing as error:
        print(f"This needs PostgreSQL, Redis and nginx: {error}")
        return
    section.add_table(_list_costs(costs))
    section.add_table(_list_storage(stored))
    _check(section, costs, checked)
    section.add_table(_list_capacity(costs))
    section.add_plot("site", "Submissions a second by processes", _draw_processes(costs))
    disk = stored["PostgreSQL"].tables + stored["PostgreSQL"].indexes
    for scenario in SCENARIOS:
        table = Table(
            [
                f"{scenario.name}, on",
                "from CDN",
                "from memory",
                *USED.values(),
                *P99,
                "full first",
                "€ a month",
            ]
        )
        for setup in SETUPS:
            seconds = 0.3 if pace is SHORT else 1.0
            _add_forecast(table, setup, forecast(setup, scenario, costs, disk, seconds))
        section.add_table(table)
    section.write()


Checked = Mapping[tuple[str, int], Sequence[Metered]]
USED = {
    "nginx": "nginx",
    "service": "service",
    "postgres": "PostgreSQL",
    "redis": "Redis",
    "rows of the site": "rows of the site",
}
P99 = ("read p99, ms", "submission p99, ms")


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


def _list_costs(costs: Costs) -> Table:
    table = Table(["what, µs of CPU in", "nginx", "service", "PostgreSQL", "Redis"])
    for name, description in COSTS.items():
        cost = getattr(costs, name)
        table.add(description, *(show_number(getattr(cost, part)) for part in PARTS))
    table.add(
        "a write until it lies on the disk, ms", show_number(costs.sync_seconds * 1e3), "", "", ""
    )
    table.add("a page as it goes out, compressed, bytes", show_number(costs.page_bytes), "", "", "")
    return table


def _list_storage(stored: Mapping[str, PerComment]) -> Table:
    table = Table(
        [
            "bytes for one comment on",
            "sent",
            "tables",
            "indexes",
            "log ahead",
            "written",
            "times sent",
            "10⁹, TB",
        ]
    )
    for name, one in stored.items():
        figures = [one.body, one.tables, one.indexes, one.log, one.written, one.amplification]
        shown = [show_number(figure) if figure else "" for figure in figures]
        table.add(name, *shown, show_number((one.tables + one.indexes) / 1e3))
    return table


def _check(section: Section, costs: Costs, checked: Checked) -> None:
    """Simulate what was measured with other numbers of clients and processes than the costs were."""
    table = Table(
        [
            *(
                "checked with 32 clients",
                "processes",
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
    drawing = draw_bars(
        "Simulated requests a second, of those that were measured (1 is exact)", bars
    )
    section.add_plot("check", "The model against the measurement", drawing)


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


def _list_capacity(costs: Costs) -> Table:
    kinds = ("hits", "misses", "refused", "taken", "decisions")
    table = Table(
        [
            *("at most, a second, on", "hits", "misses", "refused", "stored", "decisions"),
            *("stored on one site", "decisions on one site", "€ a month"),
        ]
    )
    for setup in SETUPS[:3]:
        figures = [most_per_second(costs, setup, kind) for kind in kinds]
        figures += [most_taken_on_one_site(costs, setup), most_decided_on_one_site(costs, setup)]
        table.add(setup.name, *map(show_number, figures), show_number(setup.euros_per_month))
    return table


def _draw_processes(costs: Costs) -> str:
    """Draw what processes on cores of their own store in a second, and where one site's rows end it."""
    setups = [_make_setup(count) for count in PROCESS_COUNTS]
    lines = {
        "of many sites": [most_per_second(costs, one, "taken") for one in setups],
        "of one site": [most_taken_on_one_site(costs, one) for one in setups],
        "decisions, one site": [most_decided_on_one_site(costs, one) for one in setups],
    }
    title = (
        "A second at most, by processes of the service, one PostgreSQL of 8 cores (dashed: 10⁴/s)"
    )
    return draw_lines(title, lines, list(map(str, PROCESS_COUNTS)), 10_000)


def _make_setup(processes: int) -> Setup:
    cores = {"nginx": processes, "service": processes, "postgres": 8, "redis": 1}
    return Setup("", 0, 0, cores, round_trip_seconds=ROUND_TRIP_SECONDS)


def _add_forecast(table: Table, setup: Setup, found: Forecast) -> None:
    part, share = found.fullest
    shown = {name: f"{use:.0%}" for name, use in found.use.items()}
    if "core" in shown:
        shown["service"] = f"all: {shown['core']}"
    waits = ["grows"] * 2
    if found.quantiles is not None:
        waits = [show_number(1e3 * found.quantiles[kind]) for kind in ("read", "submission")]
    table.add(
        setup.name,
        *(f"{found.from_edges:.0%}", f"{found.from_memory:.0%}"),
        *(shown.get(name, "") for name in USED),
        *waits,
        f"{USED.get(part, part)}, at {show_number(1 / share)} times this",
        show_number(found.euros_per_month),
    )
