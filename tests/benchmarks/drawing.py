"""Plots as SVG, in a few lines. They bring their own background, so that they can be read on any page."""

from collections.abc import Mapping, Sequence
from html import escape

import msgspec

WIDTH = 760
ROW = 26
LEFT = 300
RIGHT = 110
PLOT_HEIGHT = 300
PAPER = """<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.paper { fill: #ffffff } .bar { fill: #0969da } .line { fill: none; stroke-width: 2 }
.axis { stroke: #8c959f } .target { stroke: #cf222e; stroke-width: 2; stroke-dasharray: 5 4 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .paper { fill: #0d1117 } .bar { fill: #4493f8 }
  .axis { stroke: #768390 } .target { stroke: #ff7b72 }
}
</style>"""
# Each of these stands out from white and from black.
COLOURS = ("#0b7fd4", "#d2691e", "#2e9e4f", "#b04fc4", "#c9302c", "#8a7a00", "#0f9ba8", "#7d7d7d")


class Bar(msgspec.Struct, frozen=True):
    """One bar, what is written behind it, and where its target lies."""

    name: str
    value: float
    text: str
    target: float


def draw_bars(title: str, bars: Sequence[Bar]) -> str:
    """Draw horizontal bars from 0, each with a line across it at its target."""
    most = max(length for bar in bars for length in (bar.value, bar.target))
    height = 50 + ROW * len(bars)
    parts = [f'<text x="10" y="24" font-weight="bold">{escape(title)}</text>']
    for number, bar in enumerate(bars):
        y, length, target = 40 + ROW * number, _scale(bar.value, most), _scale(bar.target, most)
        parts += [
            f'<text x="{LEFT - 10}" y="{y + 15}" text-anchor="end">{escape(bar.name)}</text>',
            f'<rect class="bar" x="{LEFT}" y="{y + 2}" width="{length:.1f}" height="{ROW - 8}"/>',
            f'<path class="target" d="M{LEFT + target:.1f} {y - 1}v{ROW - 2}"/>',
            f'<text x="{LEFT + max(length, target) + 8:.1f}" y="{y + 15}">{escape(bar.text)}</text>',
        ]
    return _frame(height, title, parts)


def _scale(value: float, most: float) -> float:
    return (WIDTH - LEFT - RIGHT) * value / most


def draw_lines(
    title: str, lines: Mapping[str, Sequence[float]], marks: Sequence[str], target: float
) -> str:
    """Draw one line for each name over evenly spaced marks, from 0, and where the target lies."""
    most = max([target, *(value for values in lines.values() for value in values)]) * 1.05
    bottom, width, step = 40 + PLOT_HEIGHT, WIDTH - LEFT, (WIDTH - LEFT) / max(1, len(marks) - 1)

    def place(number: int, value: float) -> str:
        return f"{40 + number * step:.1f} {bottom - PLOT_HEIGHT * value / most:.1f}"

    end = f"{40 + width}"
    parts = [
        f'<text x="10" y="24" font-weight="bold">{escape(title)}</text>',
        f'<path class="axis" d="M40 {bottom}H{end}"/>',
        f'<path class="target" d="M{place(0, target)}H{end}"/>',
        *(
            f'<text x="{40 + number * step:.1f}" y="{bottom + 20}" text-anchor="middle">{escape(mark)}</text>'
            for number, mark in enumerate(marks)
        ),
    ]
    for number, (name, values) in enumerate(lines.items()):
        points = "L".join(place(spot, value) for spot, value in enumerate(values))
        colour = COLOURS[number % len(COLOURS)]
        dashes = (
            f' stroke-dasharray="{2 + number // len(COLOURS) * 4} 3"'
            if number >= len(COLOURS)
            else ""
        )
        y = 46 + number * 19
        parts += [
            f'<path class="line" stroke="{colour}"{dashes} d="M{points}"/>',
            f'<path class="line" stroke="{colour}"{dashes} d="M{40 + width + 20} {y - 4}h20"/>',
            f'<text x="{40 + width + 46}" y="{y}">{escape(name)}</text>',
        ]
    return _frame(max(bottom + 34, 60 + 19 * len(lines)), title, parts)


def _frame(height: int, title: str, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
    label = f"<title>{escape(title)}</title>"
    paper = f'<rect class="paper" width="{WIDTH}" height="{height}" rx="6"/>'
    return "\n".join([head, label, PAPER, paper, *parts, "</svg>", ""])
