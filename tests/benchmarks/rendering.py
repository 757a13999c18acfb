"""Time normalising and rendering on the worst texts we know, at half and at full length.

A linear step takes about twice as long for twice the text, a quadratic one four times as long.
"""

import time
from collections.abc import Callable

from service.text.markup import render_html
from service.text.normalising import normalise_text
from tests.benchmarks.harness import Pace

MAX_CHARS = 65_525
# Each is repeated until it fills a comment.
UNITS = (
    *(
        "> ",
        ">",
        "- ",
        "* ",
        "1. ",
        "-\n",
        "> a\n",
        "- a\n  ",
        "*a ",
        "**x* ",
        "_",
        "*",
        "~~",
        "~~a ",
    ),
    *(
        "[",
        "]",
        "[a](",
        "[a](<",
        "![[",
        "![](",
        "[a]: b\n",
        "[a][b]",
        "![a](http://b/)",
        "<",
        "<a ",
        "<!--",
    ),
    *(
        "<http://",
        "http://",
        "www.",
        "http://a.b<",
        "a@b.c ",
        "a.",
        "&",
        "&amp;",
        "`",
        "`a``",
        "\\",
        "# a\n",
    ),
    *(
        "a\n=\n",
        "```\n",
        "\t",
        "a\n\n",
        "word ",
        "\u0301\u0323",
        "\u0f73",
        "\u200d",
        "\U0001f3f4\U000e0067",
    ),
    *(
        "*`",
        "*_",
        "_*a ",
        "**a *b",
        "`` ` ",
        " `a",
        "https://a.example/(",
        "https://a.example/)",
        "(www.a,",
    ),
    *(
        "[a](https://a.example",
        "[a](https://a.example) ",
        "https://a.example/\u548c",
        "[a](http://a.b/",
        "éwww.",
        "www.a.b/和",
        "[a](http://é.b) ",
        "> > ",
        "- a\n  - b\n",
    ),
)


def main(_pace: Pace) -> None:
    for step in (normalise_text, render_html):
        print(f"\n{step.__name__}: seconds at {MAX_CHARS} characters, and times those at half of it")
        for seconds, ratio, unit in sorted((_measure(step, unit) for unit in UNITS), reverse=True)[:12]:
            print(f"{seconds:8.3f} s  x{ratio:4.1f}  {unit!r}")


def _measure(step: Callable[[str], str], unit: str) -> tuple[float, float, str]:
    text = (unit * MAX_CHARS)[:MAX_CHARS]
    half, full = _time(step, text[: MAX_CHARS // 2]), _time(step, text)
    return full, full / half, unit


def _time(step: Callable[[str], str], text: str) -> float:
    start = time.perf_counter()
    step(text)
    return time.perf_counter() - start
