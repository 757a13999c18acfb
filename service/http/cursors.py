"""Cursors: where a page ended, opaque to those who carry it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from service.errors import FieldRefused
from service.http.faults import Faults

R = TypeVar("R")
# Before an order: the walk goes against it.
BACK = "-"


class Position(msgspec.Struct, frozen=True, array_like=True):
    """The row from which a walk goes on under an order, itself left out."""

    order: str
    id: UUID
    rank: float | None = None

    @property
    def goes_back(self) -> bool:
        return self.order.startswith(BACK)


def make_cursor(position: Position) -> str:
    """Give a position as a text that is safe in a URL."""
    return urlsafe_b64encode(msgspec.json.encode(position)).rstrip(b"=").decode()


def cut_page(found: list[R], limit: int, order: str) -> tuple[list[R], str | None]:
    """Cut off what was read beyond a page, and give the cursor to the next one, if there was any."""
    if len(found) <= limit:
        return found, None
    last: Any = found[limit - 1]
    return found[:limit], make_cursor(Position(order, UUID(str(last.id))))


def read_cursor(
    cursor: str | None,
    order: str | None,
    faults: Faults,
    *,
    is_ranked: bool = False,
    both_ways: bool = False,
) -> Position | None:
    """Read a cursor that was given out under this order, or under any where it is None.

    With `both_ways` it may lead against the order too.
    """
    ways = None if order is None else {order, BACK + order} if both_ways else {order}
    return faults.check(lambda text: _read(text, ways, is_ranked), cursor, parameter="cursor")


def _read(cursor: str, ways: Collection[str] | None, is_ranked: bool) -> Position:
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        position = msgspec.json.decode(raw, type=Position)
    except (ValueError, msgspec.DecodeError):
        position = None
    if position and is_ranked and position.rank is None:
        position = None
    is_ours = position is not None and (not ways or position.order in ways)
    if position is None or not is_ours or make_cursor(position) != cursor:
        detail = "This cursor was not given out for this list; begin without one."
        raise FieldRefused("cursor_invalid", detail)
    return position
