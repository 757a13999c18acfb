"""Twice the text takes about twice the time, whatever it is made of: nothing is read again and again."""

import time
from collections.abc import Callable

import pytest

from service.text.markup import render_html

TIMES = 8
# A linear step takes 8 times as long then, a quadratic one 64 times.
BOUND = 16

WORST: dict[str, Callable[[int], str]] = {
    "blanks behind a fence": lambda size: "```" + " " * size + "x y",
    "labels within labels": lambda size: "[" * (size // 24) + "http://b" + "](http://e)" * (size // 24),
    "code that is never closed": lambda size: "😀" + " `a" * (size // 3) + "`",
    "brackets within brackets": lambda size: "[" * (size // 3) + "](" * (size // 3),
    "tabs behind a mark": lambda size: "-" + "\t" * size + "\n-",
    "hosts within hosts": lambda size: "éwww." * (size // 5),
    "paths within paths": lambda size: "www.a.b/和" * (size // 9),
    "brackets in paths": lambda size: "[a](http://a.b/" * (size // 15),
    "marks out of order in a label": lambda size: (
        "[" + "a" + "\u0301\u034f\u0316" * (size // 3) + "](https://a.b)"
    ),
    "encoded marks in a label": lambda size: "[" + "%CC%81%CC%96" * (size // 12) + "](https://a.b)",
    "marks out of order behind a label": lambda size: (
        "[a" + "\u0301" * (size // 2) + "](https://a.b)" + "\u0316" * (size // 2)
    ),
    "labels that touch": lambda size: "[a](http://b.c)" * (size // 15),
    "labels that touch and lie": lambda size: "[a.](http://b.c)[dé](http://f.g)" * (size // 32),
    "labels among dots": lambda size: "a.[bc](http://b.c).de " * (size // 22),
    "numbers of quotations": lambda size: "> \u3164\n" * (size // 4),
    "hosts to look up": lambda size: "http://é.b " * (size // 11),
    "long hosts to look up": lambda size: ("http://" + "é." * 100 + "b ") * (size // 209),
    "faces": lambda size: "(*ω*)" * (size // 5),
    "marks in brackets": lambda size: "(*a " * (size // 4) + "*)" * (size // 4),
    "text behind a host": lambda size: "http://a.b" + "和" * size,
}


@pytest.mark.parametrize("kind", WORST)
def test_the_time_grows_with_the_length(kind: str) -> None:
    short, long = WORST[kind](8_000), WORST[kind](8_000 * TIMES)
    usual = min(_measure(short) for _ in range(3))
    # Another look at one that seems to grow faster: the machine may have been busy.
    assert any(_measure(long) < BOUND * usual for _ in range(3))


def _measure(text: str) -> float:
    started = time.thread_time()
    render_html(text)
    return time.thread_time() - started
