"""A clock for tests that are about time and must not wait."""


class Clock:
    """A clock that stands still until told otherwise.

    It starts far in the future, because Redis drops keys by its own clock.
    """

    def __init__(self) -> None:
        self.now_us = 4_102_444_800_000_000

    def __call__(self) -> int:
        return self.now_us

    def advance(self, seconds: float) -> None:
        self.now_us += round(seconds * 1_000_000)
