"""Changing the status of comments, with all that follows from it, in the caller's transaction.

Rows are locked in one order everywhere, so that no two transactions wait for each other: articles, comments,
tallies, and the head of the log last.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from service.comments.rules import FREES_FINGERPRINT, Status
from service.comments.tables import Article, Comment, DailyTally, StatusTally
from service.comments.visibility import refresh_thread
from service.database import count_up
from service.privacy.tables import AuthorTally, SealedAddress

K = TypeVar("K", bound=tuple[Any, ...])

# What is counted of an author, by status.
AUTHOR_COUNTS = ("approved", "rejected", "spam")


class Tallies:
    """The counters that a transaction changes, gathered and then written in one fixed order."""

    def __init__(self) -> None:
        self._authors: Counter[tuple[UUID, bytes, str]] = Counter()
        self._statuses: Counter[tuple[UUID, str]] = Counter()
        self._days: Counter[tuple[UUID, date, str]] = Counter()

    def count_submission(self, site_id: UUID, now: datetime) -> None:
        self._statuses[site_id, "pending"] += 1
        self._days[site_id, now.date(), "submitted"] += 1

    def count_change(
        self,
        comment: Comment,
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
        self._days[comment.site_id, now.date(), event] += 1

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


async def lock_comments(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, Comment]:
    """Lock the articles of some comments, then the comments, and read these as they are now.

    The ids stay as they are, so that submissions may refer to the rows meanwhile (`FOR NO KEY UPDATE`): these
    take articles and parents in an order of their own, and would wait for us in a circle.
    """
    wanted = col(Comment.id).in_(list(ids))
    articles = select(Comment.article_id).where(wanted)
    lock = select(Article.id).where(col(Article.id).in_(articles)).order_by(col(Article.id))
    await session.exec(lock.with_for_update(key_share=True))
    query = select(Comment).where(wanted).order_by(col(Comment.id))
    fresh = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return {comment.id: comment for comment in (await session.exec(fresh)).all()}


async def read_authors(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, bytes]:
    """Give the keyed index of each comment's author, which no rotation changes until the commit."""
    query = (
        select(SealedAddress.id, SealedAddress.author_index)
        .where(col(SealedAddress.id).in_(list(ids)))
        # The order in which a rotation takes them.
        .order_by(col(SealedAddress.key_id), col(SealedAddress.id))
        .with_for_update(read=True)
    )
    return dict((await session.exec(query)).all())


async def change_status(
    session: AsyncSession, comment: Comment, to: Status, now: datetime, reason: str | None
) -> bool:
    """Move a comment, as it was read under its article's lock, to a status; False when it was overtaken.

    It releases any claim, raises the version, and brings what the public sees in line. Whether the change is
    legal is the caller's to ask before; tallies and log are his to write after.
    """
    moved = await session.exec(
        update(Comment)
        .where(col(Comment.id) == comment.id, col(Comment.version) == comment.version)
        .values(
            status=to,
            version=Comment.version + 1,
            decided_at=None if to == "pending" else now,
            reason=reason,
            claimed_by=None,
            claimed_until=None,
            fingerprint=None if to in FREES_FINGERPRINT else comment.fingerprint,
        )
    )
    if moved.rowcount != 1:
        return False
    await session.refresh(comment)
    await refresh_thread(session, comment)
    return True
