"""Plots of what was measured, as SVG on white; the same figures give the same file."""

from collections.abc import Mapping, Sequence
from io import StringIO

import matplotlib
import msgspec
from matplotlib.figure import Figure

INCHES_WIDE = 8.0
matplotlib.rcParams["svg.hashsalt"] = "greenroom"
matplotlib.rcParams["svg.fonttype"] = "none"
matplotlib.rcParams["text.parse_math"] = False


class Bar(msgspec.Struct, frozen=True):
    """One bar, what is written behind it, and where its target lies."""

    name: str
    value: float
    text: str
    target: float


def draw_bars(title: str, bars: Sequence[Bar]) -> str:
    """Draw horizontal bars from 0, each with a line across it at its target."""
    figure = Figure(figsize=(INCHES_WIDE, 1 + 0.35 * len(bars)), layout="constrained")
    axes = figure.add_subplot()
    figure.suptitle(title)
    axes.barh(range(len(bars)), [bar.value for bar in bars], height=0.6)
    axes.set_yticks(range(len(bars)), [bar.name for bar in bars])
    axes.invert_yaxis()
    axes.margins(x=0.15)
    for place, bar in enumerate(bars):
        axes.plot([bar.target] * 2, [place - 0.45, place + 0.45], color="tab:red")
        axes.annotate(
            bar.text,
            (max(bar.value, bar.target), place),
            (4, -4),
            textcoords="offset points",
        )
    return _to_svg(figure)


def draw_lines(title: str, lines: Mapping[str, Sequence[float]], marks: Sequence[str], target: float) -> str:
    """Draw one line for each name over evenly spaced marks, from 0, and where the target lies."""
    figure = Figure(figsize=(INCHES_WIDE, 5.0), layout="constrained")
    axes = figure.add_subplot()
    figure.suptitle(title)
    for number, (name, values) in enumerate(lines.items()):
        # Ten colours are told apart; then they come again, dashed.
        axes.plot(marks, values, label=name, linestyle="-" if number < 10 else "--")
    axes.axhline(target, color="tab:red", linestyle=":")
    axes.set_ylim(bottom=0)
    figure.legend(loc="outside lower center", ncols=4, fontsize="small")
    return _to_svg(figure)


def _to_svg(figure: Figure) -> str:
    written = StringIO()
    figure.savefig(written, format="svg", metadata={"Date": None})
    return "".join(f"{line.rstrip()}\n" for line in written.getvalue().splitlines())
