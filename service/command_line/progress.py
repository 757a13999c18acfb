"""How far something is that takes a while, on standard error."""

import time
from collections.abc import Callable

import click

# A line now and then, in a terminal as in a log; what is done sooner says nothing.
EVERY_SECONDS = 5.0


def say(line: str) -> None:
    """Say something that is no part of a command's answer."""
    click.echo(line, err=True)


class Progress:
    """Tells how many of something are done, and about how long the others will take."""

    def __init__(
        self,
        things: str,
        say: Callable[[str], None] = say,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._things, self._say, self._clock = things, say, clock
        self._started = self._told = clock()

    def __call__(self, done: int, total: int) -> None:
        """Take note of how far it is; with nothing done, of when it begins."""
        now = self._clock()
        if not done:
            self._started = self._told = now
            return
        if now - self._told < EVERY_SECONDS:
            return
        self._told = now
        left = (now - self._started) / done * (total - done)
        self._say(f"{done:,} of {total:,} {self._things}, about {_duration(left)} left")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes < 90 else f"{minutes / 60:.1f} hours"
