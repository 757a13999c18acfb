"""The counters of comments: by status, by day and by author."""

from collections import Counter
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection

from service.comments.rules import LockedComment, Status
from service.comments.tables import DailyTally, StatusTally
from service.database import count_up
from service.privacy.tables import AUTHOR_COUNTS, AuthorTally

K = TypeVar("K", bound=tuple[Any, ...])


class Tallies:
    """The counters that a transaction changes, gathered and then written in one fixed order."""

    def __init__(self) -> None:
        self._authors: Counter[tuple[UUID, bytes, str]] = Counter()
        self._statuses: Counter[tuple[UUID, str]] = Counter()
        self._days: Counter[tuple[UUID, date, str]] = Counter()

    def count_submission(self, site_id: UUID, author: bytes, status: Status, now: datetime) -> None:
        """Count a comment that came in, under the status that it was stored with."""
        self._statuses[site_id, status] += 1
        if status in AUTHOR_COUNTS:
            self._authors[site_id, author, status] += 1
        self._days[site_id, now.date(), "submitted"] += 1

    def count_change(
        self, comment: LockedComment, before: Status, event: str, now: datetime
    ) -> None:
        """Count a comment's change to its present status, and under `event` that it happened today."""
        for status, step in ((before, -1), (comment.status, 1)):
            self._statuses[comment.site_id, status] += step
            if status in AUTHOR_COUNTS:
                self._authors[comment.site_id, comment.author, status] += step
        self.count_event(comment.site_id, event, now)

    def count_event(self, site_id: UUID, event: str, now: datetime) -> None:
        """Count that something happened today which is no change of a status."""
        self._days[site_id, now.date(), event] += 1

    def write(self, connection: Connection) -> None:
        """Write what was gathered, each table's rows in the order of their keys, and gather anew."""
        count_up(connection, AuthorTally, AUTHOR_COUNTS, self._author_rows())
        statuses = [
            {"site_id": site_id, "status": status, "total": step}
            for (site_id, status), step in _ordered(self._statuses)
        ]
        count_up(connection, StatusTally, ("total",), statuses)
        days = [
            {"site_id": site_id, "day": day, "event": event, "total": step}
            for (site_id, day, event), step in _ordered(self._days)
        ]
        count_up(connection, DailyTally, ("total",), days)
        for counter in (self._authors, self._statuses, self._days):
            counter.clear()

    def _author_rows(self) -> list[dict[str, Any]]:
        """Give one row for each author, since a row of the table counts all statuses of one."""
        rows: dict[tuple[UUID, bytes], dict[str, Any]] = {}
        for (site_id, author, status), step in _ordered(self._authors):
            key = {"site_id": site_id, "author_index": author}
            row = rows.setdefault((site_id, author), {**key, **dict.fromkeys(AUTHOR_COUNTS, 0)})
            row[status] = step
        return list(rows.values())


def _ordered(counter: Counter[K]) -> list[tuple[K, int]]:
    return sorted((key, step) for key, step in counter.items() if step)
