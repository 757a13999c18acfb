"""The clock and the ids, in one place so that tests may set the time."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import uuid_utils

Clock = Callable[[], datetime]


def read_clock() -> datetime:
    """Give the time in UTC."""
    return datetime.now(UTC)


def new_id() -> UUID:
    """Make a UUIDv7 (RFC 9562, section 5.7); within a process each is greater than the one before."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


def parse_id(text: str) -> UUID | None:
    """Read an id in canonical text form; any other spelling is None."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text and found.version == 7 else None
