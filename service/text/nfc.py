"""Unicode normalisation form C in linear time.

CPython puts combining marks in order by insertion, which is quadratic: 65,525 marks in one comment
keep a process busy for 14 seconds. Here they are sorted before, so that nothing is left to move.
"""

import unicodedata
from collections.abc import Iterator
from itertools import groupby

# The only marks that decompose into several marks (Unicode, NonStarterDecompositions): they would
# put new marks out of order after the sort.
_SPLIT_MARKS = str.maketrans(
    {mark: unicodedata.normalize("NFD", mark) for mark in "\u0344\u0f73\u0f75\u0f81"}
)


# To compose so much takes a few milliseconds at worst, which nothing interrupts.
PIECE_CHARS = 4_096


def nfc(value: str) -> str:
    """Give the canonical composition (UAX #15) of a text."""
    if value.isascii():
        return value
    return "".join([_compose(piece) for piece in _cut(value)])


def _compose(piece: str) -> str:
    return unicodedata.normalize("NFC", "".join(_order_marks(piece.translate(_SPLIT_MARKS))))


def _cut(value: str) -> Iterator[str]:
    """Cut a text into pieces that do not compose with one another."""
    start = 0
    while (end := start + PIECE_CHARS) < len(value):
        while end < len(value) and not is_apart(value[end]):
            end += 1
        yield value[start:end]
        start = end
    yield value[start:]


def is_apart(char: str) -> bool:
    """Tell whether nothing before a character can compose with it, or with its first part."""
    return unicodedata.category(char)[0] != "M" and not "\u1160" <= char <= "\u11ff"


def _order_marks(value: str) -> Iterator[str]:
    """Sort each run of combining marks by class, as the canonical ordering algorithm does."""
    for _, run in groupby(value, key=lambda char: unicodedata.combining(char) > 0):
        yield from sorted(run, key=unicodedata.combining)
