"""Long work beside a running service: piece by piece, each short, with a pause after it.

What a piece locks, others wait for: on SQLite every write of every process. Those who wait look again now and
then, in no order, so the pauses are at least as long as the pieces, and never in step with the looking.
"""

import asyncio
import random

# How long a piece should hold its locks; with its commit on top that is less than a person notices.
HELD_SECONDS = 0.025


class Pace:
    """How much fits into a piece, by how long the last one took, within bounds.

    On a machine that is busy with other things even the smallest piece takes long; with ever smaller ones the
    work would never end.
    """

    def __init__(self, least: int, most: int) -> None:
        self.size = least
        self._least, self._most = least, most

    def adapt(self, held_seconds: float) -> None:
        """Choose the next size; growing takes several pieces, shrinking is at once."""
        factor = min(2.0, HELD_SECONDS / max(held_seconds, 1e-6))
        self.size = max(self._least, min(self._most, int(self.size * factor)))


async def rest(seconds: float) -> None:
    """Let others go first, after a piece that took so long."""
    await asyncio.sleep(pause_after(seconds))


def pause_after(seconds: float) -> float:
    """Give how long to let others go first, after a piece that took so long."""
    return seconds * random.uniform(1, 2)  # noqa: S311 - It keeps processes apart, and hides nothing.
