"""Telling the log of what is away: when it goes, when it is back, and in between now and then."""

import time
from collections.abc import Callable
from typing import Any

from service.telemetry.logs import OnceAMinute, get_logger

_logger = get_logger(__name__)


class Outage:
    """One thing that may be away, as one part of this process meets it."""

    def __init__(self, what: str, meanwhile: str, now_seconds: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._meanwhile = meanwhile
        self._failures = OnceAMinute(now_seconds)
        self._is_told = False

    def note(self, error: BaseException | str, **more: Any) -> None:
        """Take note that it failed; an error is told by its class, since its text may hold anything."""
        if not self._failures.is_due():
            return
        why = error if isinstance(error, str) else type(error).__name__
        _logger.warning(
            f"{self._what} is away",
            error=why,
            meanwhile=self._meanwhile,
            times=self._failures.take(),
            **more,
        )
        self._is_told = True

    def over(self) -> None:
        """Take note that it works; told of only if its going was."""
        times = self._failures.take()
        if self._is_told:
            _logger.warning(f"{self._what} is back", times=times)
        self._is_told = False
