"""How often each page is read, and what caches make of it: arithmetic.

Reads of a page come at random moments. Ranks of popularity follow Zipf's law, as the requests of many sites
do (Breslau et al., "Web Caching and Zipf-like Distributions", 1999); `EXPONENT` is of their range.
"""

from collections.abc import Sequence
from math import expm1

import msgspec

EXPONENT = 0.8
# Ranks from one to the next step of this size count as equally popular.
STEP = 1.1


class Class(msgspec.Struct, frozen=True):
    """Pages that are read equally often."""

    pages: float
    reads_per_second: float
    """Of each of them."""


Popularity = Sequence[Class]


def spread(pages: int, reads_per_second: float) -> Popularity:
    """Spread reads over pages by their ranks."""
    ranks, first = [], 1
    while first <= pages:
        last = min(pages, int(first * STEP))
        ranks.append((last - first + 1, ((first + last) / 2) ** -EXPONENT))
        first = last + 1
    total = sum(count * weight for count, weight in ranks)
    return [Class(count, reads_per_second * weight / total) for count, weight in ranks]


def reads_of(popularity: Popularity) -> float:
    return sum(one.pages * one.reads_per_second for one in popularity)


def divide(popularity: Popularity, by: int) -> Popularity:
    """Give what one of some processes sees, to which the reads of each page go in turn."""
    return [Class(one.pages, one.reads_per_second / by) for one in popularity]


def behind_edges(popularity: Popularity, edges: int, seconds: float) -> Popularity:
    """Give what is left for the origin when each of some nodes keeps a page for some seconds.

    A node asks once, then not for that long, then with the next reader: of 1 + rate x seconds readers one.
    """
    if not edges:
        return popularity
    return [
        Class(one.pages, one.reads_per_second / (1 + one.reads_per_second / edges * seconds))
        for one in popularity
    ]


def count_in_use(popularity: Popularity, seconds: float) -> float:
    """Give how many pages are read at least once in some seconds."""
    return sum(one.pages * _chance(one.reads_per_second * seconds) for one in popularity)


def hit_ratio(popularity: Popularity, processes: int, seconds: float) -> float:
    """Give the share of reads that find the page fresh in a process, which each read prolongs.

    The reads of a page go to all processes in turn.
    """
    divided = divide(popularity, processes)
    hits = (one.pages * one.reads_per_second * _chance(one.reads_per_second * seconds) for one in divided)
    return sum(hits) / reads_of(divided)


def _chance(reads: float) -> float:
    """Give the chance that there is at least one, where so many are expected."""
    return -expm1(-reads)
