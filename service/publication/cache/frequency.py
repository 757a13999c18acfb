"""How often the entries were used lately, in few bytes, whatever somebody makes up.

A count-min sketch (Cormode and Muthukrishnan, 2005) that grows old as in TinyLFU (Einziger, Friedman and
Manes, 2017).
"""

from collections.abc import Hashable, Iterator

ROWS = 4
# One byte each: 256 KiB in all. The hash of a key has 64 bits, 16 for each row.
WIDTH = 1 << 16
# More tells nothing: what was used at so many moments is used often.
MOST = 15
# So many moments, then all counts are halved: of those that were made up, 2.5 fall on each place by then.
SAMPLE = 10 * WIDTH // ROWS
_HALVED = bytes(count >> 1 for count in range(256))


class FrequencySketch:
    """Counts moments by keys: what it says of one is too high if anything, and too low only by age."""

    def __init__(self) -> None:
        self._rows = [bytearray(WIDTH) for _ in range(ROWS)]
        self._left = SAMPLE

    def increment(self, key: Hashable) -> None:
        """Count one moment more at which a key was used."""
        for row, place in self._places(key):
            if row[place] < MOST:
                row[place] += 1
        self._left -= 1
        if self._left <= 0:
            self._rows = [row.translate(_HALVED) for row in self._rows]
            self._left = SAMPLE

    def estimate(self, key: Hashable) -> int:
        """Give how often a key was used, at most MOST."""
        return min(row[place] for row, place in self._places(key))

    def _places(self, key: Hashable) -> Iterator[tuple[bytearray, int]]:
        found = hash(key)
        for row in self._rows:
            yield row, found & (WIDTH - 1)
            found >>= 16
