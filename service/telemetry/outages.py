"""Telling the log of what is away: when it goes, when it is back, and in between now and then."""

import time
from collections.abc import Callable
from typing import Any

from service.telemetry.logs import get_logger

# However often something fails, comes back and fails again, it is told of once in so long.
TELL_EVERY_SECONDS = 60.0
_logger = get_logger(__name__)


class Outage:
    """One thing that may be away, as one part of this process meets it."""

    def __init__(
        self, what: str, meanwhile: str, now_seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._what = what
        self._meanwhile = meanwhile
        self._now_seconds = now_seconds
        self._told_at = float("-inf")
        self._times = 0
        self._is_told = False

    def note(self, error: BaseException | str, **more: Any) -> None:
        """Take note that it failed; an error is told by its class, since its text may hold anything."""
        self._times += 1
        now = self._now_seconds()
        if now - self._told_at < TELL_EVERY_SECONDS:
            return
        why = error if isinstance(error, str) else type(error).__name__
        _logger.warning(
            f"{self._what} is away",
            error=why,
            meanwhile=self._meanwhile,
            times=self._times,
            **more,
        )
        self._told_at, self._times, self._is_told = now, 0, True

    def over(self) -> None:
        """Take note that it works; told of only if its going was."""
        if self._is_told:
            _logger.warning(f"{self._what} is back", times=self._times)
        self._times, self._is_told = 0, False
