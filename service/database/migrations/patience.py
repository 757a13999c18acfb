"""How long a migration waits for others, and how it says so."""

from collections.abc import Callable

import msgspec

# Is told what takes a while, in one line.
Tell = Callable[[str], None]


class Patience(msgspec.Struct, frozen=True):
    """What is waited for, and for how long."""

    lock_seconds: float = 2.0
    """For a lock that keeps others out. Who asks for a table waits behind us, so this is short."""
    pauses: tuple[float, ...] = (1, 2, 4, 8, 15, 30, 30, 30, 30, 30, 30)
    """Between tries to get it, with everybody let through meanwhile; some four minutes in all."""
    turn_seconds: float = 600.0
    """For another one that migrates."""
    tell_seconds: float = 5.0
    """After so long what is at work says so, and again each time."""


def say_nothing(_line: str) -> None:
    """Keep it to oneself."""
