"""What a benchmark says: on the screen, and in its own section of a page in `results/`."""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.benchmarks.harness import SHORT, USUAL, Pace
from tests.benchmarks.machine import describe_machine
from tests.processes import REPOSITORY

RESULTS = REPOSITORY / "tests" / "benchmarks" / "results"


class Table(msgspec.Struct):
    """Rows under headings; the first column says what the others are figures of."""

    headings: Sequence[str]
    rows: list[Sequence[str]] = []

    def add(self, *cells: str) -> None:
        """Add a row and show it at once, so that one sees how far the benchmark is."""
        self.rows.append(cells)
        print("  ".join(f"{cell:<{width}}" for cell, width in self._widths(cells)), flush=True)

    def _widths(self, cells: Sequence[str]) -> list[tuple[str, int]]:
        return [(cell, 64 if place == 0 else 14) for place, cell in enumerate(cells)]

    def to_markdown(self) -> str:
        lines = [self.headings, ["---", *["---:"] * (len(self.headings) - 1)], *self.rows]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


class Section(msgspec.Struct):
    """A benchmark's section, as it grows."""

    name: str
    command: str
    pace: Pace
    length: str
    """How long it measures, for readers who wonder how sure a figure is."""
    parts: list[str] = []

    @property
    def page(self) -> Path:
        """The page that it is a section of: `soak.md` of `soak-sqlite`."""
        return RESULTS / f"{self.name.partition('-')[0]}.md"

    def say(self, sentence: str) -> None:
        """Add a paragraph, and show it."""
        print(f"\n{sentence}\n", flush=True)
        self.parts.append(sentence)

    def add_table(self, table: Table) -> None:
        self.parts.append(table.to_markdown())

    def add_plot(self, name: str, description: str, svg: str) -> None:
        """Keep a drawing beside the page, and show it there."""
        (RESULTS / f"{name}.svg").write_text(svg, "utf-8")
        self.parts.append(f"![{description}]({name}.svg)")

    def write(self) -> None:
        """Put the section in the place of the one from the run before."""
        replace_section(self.page, self.name, "\n\n".join([self._introduce(), *self.parts]))
        print(f"\nWritten to {self.page.relative_to(REPOSITORY)}.")

    def _introduce(self) -> str:
        argument = "" if self.pace is USUAL else f" ARGS=--{self.pace.name}"
        where = f"Measured by `{self.command}{argument}` on {describe_machine()}; {self.length}."
        return f"{where} A short run, so the figures are rough." if self.pace is SHORT else where


def replace_section(page: Path, name: str, text: str) -> None:
    """Replace what stands between a benchmark's two marks, which have to be there."""
    start, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    marked = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    section = f"{start}\n{text}\n{end}"
    changed, count = marked.subn(lambda _: section, page.read_text("utf-8"))
    assert count == 1, f"{page.name} needs the line {start} once, and {end} after it"
    page.write_text(changed, "utf-8")


def show_number(value: float) -> str:
    """Write a figure with as many digits as mean something."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def show_ratio(value: float) -> str:
    return f"{show_number(value)}x"
