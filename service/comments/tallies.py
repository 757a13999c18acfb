"""The counters of comments: by status, by day and by author."""

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection
from sqlmodel import SQLModel

from service.comments.rules import LockedComment, Status
from service.comments.tables import DailyTally, StatusTally
from service.database import count_up
from service.privacy.tables import AUTHOR_COUNTS, AuthorTally

# In the order in which they are written: the columns of each table's key, and those that count.
_TABLES: tuple[tuple[type[SQLModel], tuple[str, ...], tuple[str, ...]], ...] = (
    (AuthorTally, ("site_id", "author_index"), AUTHOR_COUNTS),
    (StatusTally, ("site_id", "status"), ("total",)),
    (DailyTally, ("site_id", "day", "event"), ("total",)),
)


class Tallies:
    """The counters that a transaction changes, gathered and then written in one fixed order."""

    def __init__(self) -> None:
        self._steps: dict[type[SQLModel], dict[tuple[Any, ...], Counter[str]]] = {
            table: defaultdict(Counter) for table, *_ in _TABLES
        }

    def count_submission(self, site_id: UUID, author: bytes, status: Status, now: datetime) -> None:
        """Count a comment that came in, under the status that it was stored with."""
        self._count_status(site_id, author, status, 1)
        self.count_event(site_id, "submitted", now)

    def count_change(self, comment: LockedComment, before: Status, event: str, now: datetime) -> None:
        """Count a comment's change to its present status, and under `event` that it happened today."""
        self._count_status(comment.site_id, comment.author, before, -1)
        self._count_status(comment.site_id, comment.author, comment.status, 1)
        self.count_event(comment.site_id, event, now)

    def count_event(self, site_id: UUID, event: str, now: datetime) -> None:
        """Count that something happened today which is no change of a status."""
        self._steps[DailyTally][site_id, now.date(), event]["total"] += 1

    def _count_status(self, site_id: UUID, author: bytes, status: Status, step: int) -> None:
        self._steps[StatusTally][site_id, status]["total"] += step
        if status in AUTHOR_COUNTS:
            self._steps[AuthorTally][site_id, author][status] += step

    def write(self, connection: Connection) -> None:
        """Write what was gathered, each table's rows in the order of their keys."""
        for table, names, counts in _TABLES:
            rows = [
                {**dict(zip(names, key, strict=True)), **{name: steps[name] for name in counts}}
                for key, steps in sorted(self._steps[table].items())
                if any(steps.values())
            ]
            count_up(connection, table, counts, rows)
