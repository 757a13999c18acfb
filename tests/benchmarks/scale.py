"""What results/simulation.md says of costs, set-ups and scenarios: tables, and a drawing."""

from collections.abc import Mapping

from service.database.group_commit import MAX_BATCH
from tests.benchmarks.capacity import (
    DECIDED_TOGETHER,
    PARTS,
    Costs,
    Setup,
    most_decided_on_one_site,
    most_per_second,
    most_taken_on_one_site,
)
from tests.benchmarks.drawing import draw_lines
from tests.benchmarks.report import Table, show_number
from tests.benchmarks.runs import run_closed
from tests.benchmarks.scenarios import ROUND_TRIP_SECONDS, SETUPS, Forecast, Scenario, forecast
from tests.benchmarks.simulated import House
from tests.benchmarks.storage import PerComment

COSTS = {
    "hit": "read, from memory",
    "miss": "read, from the database",
    "stale": "read, from memory, once the database said that it is true",
    "swept_page": "comparing a page in use with the database",
    "refused": "submission, up to the limiter's answer",
    "limiter_call": "call of Redis, which such tries share",
    "taken": "submission that is stored, in all",
    "commit": "transaction, which such submissions share",
    "decision_request": "request with decisions",
    "decision": "decision in it",
}
PART_NAMES = {
    "nginx": "nginx",
    "service": "service",
    "postgres": "PostgreSQL",
    "redis": "Redis",
    "rows of the site": "rows of the site",
}
P99 = ("read p99, ms", "submission p99, ms")
PROCESS_COUNTS = (1, 2, 4, 8, 16, 32, 64)


def list_costs(costs: Costs) -> Table:
    table = Table(["what, µs of CPU in", "nginx", "service", "PostgreSQL", "Redis"])
    for name, description in COSTS.items():
        cost = getattr(costs, name)
        table.add(description, *(show_number(getattr(cost, part)) for part in PARTS))
    company = show_number(costs.company)
    table.add("times as long where three processes share a core", "", company, "", "")
    table.add("a write until it lies on the disk, ms", show_number(costs.sync_seconds * 1e3), "", "", "")
    table.add("a page as it goes out, compressed, bytes", show_number(costs.page_bytes), "", "", "")
    return table


def list_storage(stored: Mapping[str, PerComment]) -> Table:
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


def list_setups() -> Table:
    table = Table(["assumed", "machines", *(f"{PART_NAMES[one]}, cores" for one in PARTS), "€ a month"])
    for setup in SETUPS:
        cores = ["", "1, for all", "", ""] if setup.is_one_core else [str(setup.cores[one]) for one in PARTS]
        table.add(setup.name, str(setup.machines), *cores, show_number(setup.euros_per_month))
    return table


def list_capacity(costs: Costs) -> Table:
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


def draw_processes(costs: Costs, seconds: float) -> str:
    """Draw what processes on cores of their own do in a second, and where one site's rows end it."""
    kinds = {
        "stored, many sites": ("taken", False),
        "stored, one site": ("taken", True),
        "decisions, many sites": ("decisions", False),
        "decisions, one site": ("decisions", True),
    }
    lines = {
        name: [_simulate(costs, kind, one_site, count, seconds) for count in PROCESS_COUNTS]
        for name, (kind, one_site) in kinds.items()
    }
    title = "A second, by processes of the service, with one PostgreSQL of 8 cores (dotted: 10⁴)"
    return draw_lines(title, lines, list(map(str, PROCESS_COUNTS)), 10_000)


def _simulate(costs: Costs, kind: str, one_site: bool, processes: int, seconds: float) -> float:
    """Give how much is done when each process has so many clients that something is full."""
    house = House(_make_setup(processes), costs, has_one_site=one_site)
    each = 1 if kind == "taken" else DECIDED_TOGETHER
    clients = processes * (MAX_BATCH if kind == "taken" else 2)
    return run_closed(house, kind, clients, seconds).per_second[kind] * each


def _make_setup(processes: int) -> Setup:
    cores = {"nginx": processes, "service": processes, "postgres": 8, "redis": 1}
    return Setup("", 0, 0, cores, round_trip_seconds=ROUND_TRIP_SECONDS)


def list_forecasts(scenario: Scenario, costs: Costs, disk: float, seconds: float) -> Table:
    table = Table(["on", "from CDN", "from memory", *PART_NAMES.values(), *P99, "full first", "€ a month"])
    for setup in SETUPS:
        _add_forecast(table, setup, forecast(setup, scenario, costs, disk, seconds))
    return table


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
        *(shown.get(name, "") for name in PART_NAMES),
        *waits,
        f"{PART_NAMES.get(part, part)}, at {show_number(1 / share)} times this",
        show_number(found.euros_per_month),
    )
