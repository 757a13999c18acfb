"""Measure whether anything grows with the data: each operation's CPU time at 1,000 to 1,000,000 comments."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.drawing import draw_lines
from tests.benchmarks.harness import FULL, SHORT, Pace, middle, ratio
from tests.benchmarks.report import Section, Table, show_number, show_ratio
from tests.benchmarks.seeding import Crowd
from tests.benchmarks.stage import Stage, explain_missing, open_big_stage, open_stage
from tests.benchmarks.visits import TIMES, Visitor, make_crowd
from tests.processes import ServerMissing

TARGET = 1.5
# A visit is short, so there are two of them in a round.
VISITS = 2
SIZES = [1_000, 10_000, 100_000, 1_000_000]
OpenStage = Callable[[Path, Crowd], AbstractContextManager[Stage]]
Visits = Mapping[str, Sequence[Mapping[str, float]]]


def main(pace: Pace) -> None:
    length = f"the median of {pace.rounds * VISITS} visits with {TIMES} of each operation"
    section = Section("growth", "make bench-growth", pace, length)
    sizes = SIZES[:-1] if pace is SHORT else SIZES
    on_sqlite = [*sizes, 10_000_000] if pace is FULL else sizes
    _measure(section, "SQLite", open_stage, on_sqlite)
    try:
        _measure(section, "PostgreSQL", open_big_stage, sizes)
    except ServerMissing as error:
        section.say(explain_missing(error))
    section.write()


def _measure(section: Section, database: str, open_one: OpenStage, sizes: Sequence[int]) -> None:
    section.say(f"Microseconds of CPU that one operation takes on {database}:")
    with ExitStack() as stack:
        visitors = {f"{size:,}": stack.enter_context(_visitor(open_one, make_crowd(size))) for size in sizes}
        # Once without counting: what is asked for the first time has to be prepared first.
        _visit_in_step(visitors)
        rounds = [_visit_in_step(visitors) for _ in range(section.pace.rounds * VISITS)]
        visits = {size: [one[size] for one in rounds] for size in visitors}
    section.add_table(_compare(visits))
    name = database.lower()
    section.add_plot(f"growth-{name}", f"Growth of each operation on {database}", _draw(visits))


def _visit_in_step(visitors: Mapping[str, Visitor]) -> dict[str, dict[str, float]]:
    """Do each operation at all sizes before the next one, so that neighbours in time are compared."""
    found: dict[str, dict[str, float]] = {size: {} for size in visitors}
    for costs in zip(*(visitor.visit() for visitor in visitors.values()), strict=True):
        for size, (operation, cost) in zip(visitors, costs, strict=True):
            found[size][operation] = cost
    return found


@contextmanager
def _visitor(open_one: OpenStage, crowd: Crowd) -> Iterator[Visitor]:
    with TemporaryDirectory() as name, open_one(Path(name), crowd) as stage:
        print(f"{crowd.size:,} comments are there", flush=True)
        with stage.connect() as client:
            yield Visitor(stage, crowd, client)


def _compare(visits: Visits) -> Table:
    first, *_, last = visits
    table = Table(["operation", *visits, "growth", "target"])
    for operation in visits[first][0]:
        figures = [_figure(visits[size], operation) for size in visits]
        growth = _growth(visits, last, operation)
        mark = "" if growth <= TARGET else " missed"
        table.add(operation, *figures, show_ratio(growth), f"at most {TARGET}x{mark}")
    return table


def _figure(visits: Sequence[Mapping[str, float]], operation: str) -> str:
    return show_number(middle(visits, lambda visit: visit[operation]))


def _growth(visits: Visits, size: str, operation: str) -> float:
    """Give how many times the cost at the smallest size an operation takes."""
    smallest = next(iter(visits))
    return ratio(visits[size], visits[smallest], lambda visit: visit[operation])


def _draw(visits: Visits) -> str:
    operations = next(iter(visits.values()))[0]
    lines = {one: [_growth(visits, size, one) for size in visits] for one in operations}
    title = "CPU time of an operation, of what it is at 1,000 comments"
    return draw_lines(title, lines, list(visits), TARGET)
