"""Changing the status of comments, with all that follows from it, in the caller's transaction.

Rows are locked in one order everywhere, so that no two transactions wait for each other: articles, comments,
tallies, and the head of the log last.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection, bindparam, select, update
from sqlmodel import SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from service.comments.edits import Edits, WaitingEdit
from service.comments.rules import (
    FREES_FINGERPRINT,
    TAKES_EDITS,
    LockedComment,
    Status,
    lets_through,
)
from service.comments.tables import Article, DailyTally, StatusTally
from service.comments.visibility import refresh_threads
from service.database import count_up
from service.errors import Conflict
from service.privacy.tables import AUTHOR_COUNTS, AuthorTally, SealedAddress

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
        self,
        comment: LockedComment,
        author: bytes,
        before: Status,
        after: Status,
        event: str,
        now: datetime,
    ) -> None:
        """Count a change of status, and under `event` that it happened today."""
        for status, step in ((before, -1), (after, 1)):
            self._statuses[comment.site_id, status] += step
            if status in AUTHOR_COUNTS:
                self._authors[comment.site_id, author, status] += step
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


class Moves:
    """The changes of status that a transaction makes, gathered and then written together.

    Whether a change is legal is the caller's to ask before; tallies and log are his to write after. `waiting`
    are the edits that wait beside the comments, each of which is settled or goes on waiting.
    """

    def __init__(self, now: datetime, waiting: Mapping[UUID, WaitingEdit]) -> None:
        self._now = now
        self._edits = Edits(waiting)
        self._rows: list[dict[str, Any]] = []
        self._seen: list[LockedComment] = []

    def add(
        self, comment: LockedComment, to: Status, reason: str | None, *, takes_edit: bool = False
    ) -> None:
        """Move a locked comment, which releases any claim on it and raises its version.

        An edit beside it becomes its text with `takes_edit`, and is dropped where no edit may wait.
        """
        if lets_through(comment.status) or lets_through(to):
            self._seen.append(comment)
        if takes_edit:
            self._edits.take(comment, version=comment.version)
        elif to not in TAKES_EDITS:
            self._edits.drop(comment)
        if to in FREES_FINGERPRINT:
            comment.fingerprint = None
        row = {
            "comment_id": comment.id,
            "from_version": comment.version,
            "to_status": to,
            "at": None if to == "pending" else self._now,
            "why": reason,
            "print": comment.fingerprint,
        }
        self._rows.append(row)
        comment.status, comment.version = to, comment.version + 1
        comment.claimed_by = comment.claimed_until = None

    def settle_edit(self, comment: LockedComment, *, is_taken: bool) -> None:
        """Publish the edit beside a locked comment or drop it, which raises the version alone."""
        settle = self._edits.take if is_taken else self._edits.refuse
        settle(comment, version=comment.version + 1)
        comment.version += 1

    async def write(self, session: AsyncSession) -> None:
        """Write what was gathered, and bring what the public sees in line."""
        await self._edits.write(session, self._now)
        if not self._rows:
            return
        moved = await (await session.connection()).execute(_MOVE, self._rows)
        if moved.rowcount != len(self._rows):
            # The locks rule it out; if they ever fail to, nothing of the transaction may stay.
            raise Conflict
        await refresh_threads(session, self._seen, self._now)


_COMMENT = SQLModel.metadata.tables["comment"]
_MOVE = (
    update(_COMMENT)
    .where(
        _COMMENT.c.id == bindparam("comment_id"), _COMMENT.c.version == bindparam("from_version")
    )
    .values(
        status=bindparam("to_status"),
        version=_COMMENT.c.version + 1,
        decided_at=bindparam("at"),
        reason=bindparam("why"),
        claimed_by=None,
        claimed_until=None,
        fingerprint=bindparam("print"),
    )
)


async def lock_comments(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, LockedComment]:
    """Lock the articles of some comments, then the comments, and read these as they are now.

    The ids stay as they are, so that submissions may refer to the rows meanwhile (`FOR NO KEY UPDATE`): these
    take articles and parents in an order of their own, and would wait for us in a circle.
    """
    connection = await session.connection()
    wanted = _COMMENT.c.id.in_(list(ids))
    articles = select(_COMMENT.c.article_id).where(wanted)
    lock = select(col(Article.id)).where(col(Article.id).in_(articles)).order_by(col(Article.id))
    await connection.execute(lock.with_for_update(key_share=True))
    columns = [_COMMENT.c[name] for name in LockedComment.__struct_fields__]
    query = select(*columns).where(wanted).order_by(_COMMENT.c.id)
    locked = await connection.execute(query.with_for_update(key_share=True))
    return {row.id: LockedComment(*row) for row in locked}


async def read_authors(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, bytes]:
    """Give the keyed index of each comment's author, which no rotation changes until the commit."""
    query = (
        select(col(SealedAddress.id), col(SealedAddress.author_index))
        .where(col(SealedAddress.id).in_(list(ids)))
        # The order in which a rotation takes them.
        .order_by(col(SealedAddress.key_id), col(SealedAddress.id))
        .with_for_update(read=True)
    )
    found = await (await session.connection()).execute(query)
    return dict(found.all())
