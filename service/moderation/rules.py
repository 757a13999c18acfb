"""When a claim holds: until its lease has ended, and only if a right clock can have given it."""

from datetime import datetime, timedelta

from service.clock import OUT_OF_STEP

LONGEST_LEASE_SECONDS = 900


def holds_claim(until: datetime | None, now: datetime) -> bool:
    """Tell whether a claim that was given until then is alive."""
    return until is not None and now < until <= latest_end(now)


def latest_end(now: datetime) -> datetime:
    """Give the moment beyond which no lease can end.

    One that does was given under a clock that was ahead, and would hold others up until then.
    """
    return now + timedelta(seconds=LONGEST_LEASE_SECONDS) + OUT_OF_STEP
