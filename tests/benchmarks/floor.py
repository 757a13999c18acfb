"""Measure the service against the floor: a bare application that gives the same bytes under the same server.

Also what a cold page takes, and a process's start, memory and end. `results/README.md` says how to read it.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import msgspec

from tests.benchmarks.bare import Recorded, record_answer, start_bare
from tests.benchmarks.drawing import Bar, draw_bars
from tests.benchmarks.harness import (
    SHORT,
    Load,
    Pace,
    Request,
    Sample,
    middle,
    ratio,
    require_wrk,
    run_in_rounds,
)
from tests.benchmarks.machine import SERVER_CORE, on_core, read_memory
from tests.benchmarks.report import Section, Table, show_number, show_ratio
from tests.benchmarks.seeding import Crowd
from tests.benchmarks.stage import (
    Stage,
    explain_missing,
    make_submission,
    open_big_stage,
    open_stage,
    page_path,
)
from tests.installation import COMMENTS
from tests.processes import ServerMissing

CLIENTS = 32
BROWSER = {"Accept-Encoding": "gzip, deflate, br"}
JSON = {"Content-Type": "application/json"}
STARTS = 5
MISSES = 400


class Compared(msgspec.Struct, frozen=True):
    """One line: what was asked, the least that ours should be of the floor, and what makes the floor."""

    name: str
    target: float
    answer: Recorded
    load: Load
    maker: str = "make_app"


def main(pace: Pace) -> None:
    require_wrk()
    section = Section("floor", "make bench", pace, pace.describe())
    bars: list[Bar] = []
    against = Table(
        [
            *("answer", "ours, 1/s", "floor, 1/s", "ratio", "ours, µs CPU", "floor, µs CPU"),
            *("ours p50, ms", "p99, ms", "target"),
        ]
    )
    with TemporaryDirectory() as name, open_stage(Path(name), _crowd(pace)) as stage:
        on_sqlite = [*_reads(stage), *_submissions(Path(name), stage, "SQLite")]
        bars += [_measure(Path(name), compared, against, pace) for compared in on_sqlite]
        lengths = _measure_lengths(stage, pace)
        lone = _measure_alone(stage, pace)
    try:
        bars += _measure_big(against, pace)
    except ServerMissing as error:
        section.say(explain_missing(error))
    section.add_table(against)
    section.add_plot("floor", "Each answer's requests a second against the floor's", _draw(bars))
    section.add_table(lengths)
    section.add_table(lone)
    section.write()


def _crowd(pace: Pace) -> Crowd:
    """Fill articles of all lengths, and many to be read once each."""
    scale = 10 if pace is SHORT else 1
    many = {f"/many-{number}": 20 for number in range(10_000 // scale)}
    cold = {f"/cold-{number}": 50 for number in range(MISSES)}
    return Crowd({"/20": 20, "/50": 50, "/2000": 2_000, "/200000": 200_000 // scale, **many, **cold})


def _reads(stage: Stage) -> list[Compared]:
    url = stage.page("/20")
    plain, coded = record_answer(url), record_answer(url, BROWSER)
    known = {"If-None-Match": plain.header("etag")}
    return [
        Compared(name, target, answer, Load(url, stage.roots, headers=headers))
        for name, target, answer, headers in (
            ("page of 20 comments", 0.85, plain, {}),
            ("the same, compressed", 0.85, coded, BROWSER),
            ("304 for the same", 0.90, record_answer(url, known), known),
        )
    ]


def _submissions(folder: Path, stage: Stage, where: str) -> list[Compared]:
    """Compare with the bare application, and with a handler of the framework that does nothing."""
    template = folder / "submission.json"
    template.write_bytes(make_submission("/submissions"))
    url = stage.url + COMMENTS
    answer = record_answer(url, JSON, make_submission("/submissions", "first", "1"))
    load = Load(url, stage.roots, connections=CLIENTS, body=template)
    return [
        Compared(f"submission, {where}{against}", 0.12, answer, load, maker)
        for against, maker in (("", "make_app"), (", against a handler", "make_handler"))
    ]


def _measure(folder: Path, compared: Compared, table: Table, pace: Pace) -> Bar:
    """Measure an answer of ours and the same one from a bare application, in turn."""
    with start_bare(folder, "bare", compared.answer, compared.maker) as bare:
        floor = msgspec.structs.replace(
            compared.load, url=_elsewhere(compared.load.url, bare.url), roots=[bare.pid]
        )
        samples = run_in_rounds({"ours": compared.load, "floor": floor}, pace)
    ours, theirs = samples["ours"], samples["floor"]
    share = ratio(ours, theirs, lambda sample: sample.per_second)
    table.add(
        _with_failures(compared.name, ours),
        show_number(middle(ours, lambda sample: sample.per_second)),
        show_number(middle(theirs, lambda sample: sample.per_second)),
        show_number(share),
        show_number(middle(ours, lambda sample: sample.cpu_microseconds)),
        show_number(middle(theirs, lambda sample: sample.cpu_microseconds)),
        show_number(middle(ours, lambda sample: sample.p50_milliseconds)),
        show_number(middle(ours, lambda sample: sample.p99_milliseconds)),
        f"ratio at least {compared.target:.2f}",
    )
    return Bar(compared.name, share, show_number(share), compared.target)


def _elsewhere(url: str, base: str) -> str:
    """Give the same path on another server, so that both read a request of the same length."""
    return base + url[len(base) :]


def _with_failures(name: str, samples: Sequence[Sample]) -> str:
    bad = sum(sample.bad for sample in samples)
    return f"{name} ({bad} not answered well)" if bad else name


def _measure_big(against: Table, pace: Pace) -> list[Bar]:
    with TemporaryDirectory() as name, open_big_stage(Path(name), Crowd({"/20": 20})) as stage:
        compared = _submissions(Path(name), stage, "PostgreSQL")
        return [_measure(Path(name), one, against, pace) for one in compared]


def _measure_lengths(stage: Stage, pace: Pace) -> Table:
    """Measure the first page of articles of all lengths, the next request for it and the first one."""
    table = Table(["first page of 50 under an article with", "1/s", "µs CPU", "time", "target"])
    articles = ["/50", "/2000", "/200000"]
    samples = run_in_rounds({one: Load(stage.page(one), stage.roots) for one in articles}, pace)
    for one in articles:
        times = ratio(samples["/50"], samples[one], lambda sample: sample.per_second)
        table.add(
            f"{_count(stage, one):,} comments",
            show_number(middle(samples[one], lambda sample: sample.per_second)),
            show_number(middle(samples[one], lambda sample: sample.cpu_microseconds)),
            show_ratio(times),
            "at most 1.1x",
        )
    return table


def _count(stage: Stage, article: str) -> int:
    """Give how many comments an article shows."""
    with stage.connect() as client:
        page = msgspec.json.decode(client.send(Request(page_path(article, limit=1))))
    count: int = page["count"]
    return count


def _measure_alone(stage: Stage, pace: Pace) -> Table:
    """Measure what has no floor: a cold page, and the start, memory and end of a process."""
    table = Table(["what", "measured", "target"])
    cold = [Request(page_path(f"/cold-{number}")) for number in range(MISSES)]
    with stage.connect() as client:
        client.send(Request(page_path("/20")))
        spent = client.measure(cold).cpu_microseconds / 1000
    table.add("a page of 50 comments that was not asked for before", f"{spent:.2f} ms CPU", "3 ms")
    # Starts that poll with the page itself, and with nothing heavier than a bare connection.
    stage.server.answers = _answers_page
    times = [(_time(stage.server.stop), _time_start(stage)) for _ in range(STARTS)]
    table.add("start to the first good page", f"{median(up for _, up in times):.2f} s", "1.5 s")
    table.add("told to stop, to gone", f"{median(down for down, _ in times):.2f} s", "")
    _add_memory(table, "memory of a worker that just started", "110 MiB", stage)
    many = [Request(page_path(one)) for one in _crowd(pace).articles if one.startswith("/many")]
    with stage.connect() as client:
        client.measure(many)
    _add_memory(table, f"the same after it was read {len(many):,} articles", "180 MiB", stage)
    return table


def _add_memory(table: Table, what: str, target: str, stage: Stage) -> None:
    rss, pss = read_memory(stage.roots)
    table.add(what, f"{rss:.0f} MiB RSS, {pss:.0f} PSS", target)


def _time(action: Callable[[], object]) -> float:
    started = perf_counter()
    action()
    return perf_counter() - started


def _time_start(stage: Stage) -> float:
    with on_core(SERVER_CORE):
        return _time(stage.server.start)


def _answers_page(url: str) -> bool:
    with suppress(OSError):
        return record_answer(url + page_path("/20")).status == 200
    return False


def _draw(bars: Sequence[Bar]) -> str:
    return draw_bars("Requests a second, of what a bare application does (1 is the floor)", bars)
