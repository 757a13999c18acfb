"""The clock and the ids, in one place so that tests may set the time."""

import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

Clock = Callable[[], datetime]
# The clocks of machines that are kept in step differ by far less; beyond it, what a moment that lies ahead
# was stored for cannot be right.
OUT_OF_STEP = timedelta(minutes=1)


def read_clock() -> datetime:
    """Give the time in UTC."""
    return datetime.now(UTC)


# Ids count time in 4,096ths of a millisecond (RFC 9562, section 6.2, method 3).
_TICKS_PER_SECOND = 4_096_000
_turn = threading.Lock()
_last_tick = 0


def new_id() -> UUID:
    """Make a UUIDv7 (RFC 9562, section 5.7); within a process each is greater than the one before.

    But for a clock that is set back by more than a minute: what is made from then on would else be dated
    by the wrong time until the process ends.
    """
    milliseconds, fraction = divmod(_next_tick(), 4_096)
    bits = milliseconds << 80 | 7 << 76 | fraction << 64 | 2 << 62
    return UUID(int=bits | secrets.randbits(62))


def _next_tick() -> int:
    global _last_tick
    with _turn:
        now = time.time_ns() * _TICKS_PER_SECOND // 1_000_000_000
        is_set_back = _last_tick - now > OUT_OF_STEP.total_seconds() * _TICKS_PER_SECOND
        _last_tick = now if is_set_back else max(now, _last_tick + 1)
        return _last_tick


def id_of_moment(moment: datetime) -> UUID:
    """Give what is less than every UUIDv7 made from a moment on, and greater than those before."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def parse_id(text: str) -> UUID | None:
    """Read an id in canonical text form; any other spelling is None."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text and found.version == 7 else None
