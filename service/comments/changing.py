"""Changing comments within a unit of work: their status and the texts that wait, with all that follows.

Rows are locked in one order everywhere, so that no two transactions wait for each other: articles, comments,
addresses, tallies, and the heads of the logs last.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlmodel import SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from service.comments.edits import Edits, NewText, change_text, read_edits
from service.comments.rules import (
    FREES_FINGERPRINT,
    TAKES_EDITS,
    LockedComment,
    Status,
    lets_through,
)
from service.comments.tables import Article, Comment
from service.comments.tallies import Tallies
from service.comments.visibility import refresh_threads
from service.errors import Conflict
from service.modlog.entries import make_entry
from service.modlog.tables import LogEntry
from service.privacy.tables import SealedAddress
from service.work import Work


class CommentChanges:
    """What a unit of work changes of comments that it has locked."""

    def __init__(self) -> None:
        self.edits = Edits()
        self.tallies = Tallies()
        self.authors: dict[UUID, bytes] = {}
        """The keyed index of each comment's author."""
        self.moved: list[dict[str, Any]] = []
        self.seen: list[LockedComment] = []
        """Those whose move may change what the public sees."""

    async def write(self, work: Work) -> None:
        """Write what was gathered, and bring what the public sees in line."""
        await self.edits.write(work)
        if self.moved:
            written = await (await work.session.connection()).execute(_MOVE, self.moved)
            if written.rowcount != len(self.moved):
                # The locks rule it out; if they ever fail to, nothing of the transaction may stay.
                raise Conflict
            await refresh_threads(work, self.seen)
        await work.session.run_sync(lambda sync: self.tallies.write(sync.connection()))


async def lock_comments(work: Work, ids: Iterable[UUID]) -> dict[UUID, LockedComment]:
    """Lock some comments, and give them as they are now; what waits beside them is known from now on."""
    changes = work.part(CommentChanges)
    comments = await lock_rows(work.session, ids)
    changes.edits.waiting |= await read_edits(work.session, work.keyring, comments)
    changes.authors |= await _read_authors(work.session, comments)
    return comments


def has_edit(work: Work, comment: LockedComment) -> bool:
    """Tell whether an edit waits beside a locked comment."""
    return comment.id in work.part(CommentChanges).edits.waiting


def move_comment(
    work: Work,
    comment: LockedComment,
    action: str,
    to: Status,
    *,
    reason: str | None = None,
    note: str | None = None,
) -> LogEntry:
    """Move a locked comment to a status, which releases any claim on it and raises its version.

    Whether the change is legal is the caller's to ask before. An edit beside it becomes its text when it is
    approved, and is dropped where no edit may wait.
    """
    changes, before = work.part(CommentChanges), comment.status
    if lets_through(before) or lets_through(to):
        changes.seen.append(comment)
    if action == "approve":
        changes.edits.take(comment, version=comment.version)
    elif to not in TAKES_EDITS:
        changes.edits.drop(comment)
    if to in FREES_FINGERPRINT:
        comment.fingerprint = None
    row = {
        "comment_id": comment.id,
        "from_version": comment.version,
        "to_status": to,
        "at": None if to == "pending" else work.now,
        "why": reason,
        "print": comment.fingerprint,
    }
    changes.moved.append(row)
    comment.status, comment.version = to, comment.version + 1
    comment.claimed_by = comment.claimed_until = None
    author = changes.authors.get(comment.id, b"")
    changes.tallies.count_change(comment, author, before, to, action, work.now)
    return log_comment(work, comment, action, before, reason=reason, note=note)


def settle_edit(
    work: Work,
    comment: LockedComment,
    action: str,
    *,
    is_taken: bool,
    reason: str | None = None,
    note: str | None = None,
) -> LogEntry:
    """Publish the edit beside a locked comment or drop it, which raises the version alone."""
    changes = work.part(CommentChanges)
    settle = changes.edits.take if is_taken else changes.edits.refuse
    settle(comment, version=comment.version + 1)
    comment.version += 1
    changes.tallies.count_event(comment.site_id, action, work.now)
    return log_comment(work, comment, action, comment.status, reason=reason, note=note)


async def edit_text(
    work: Work, locked: LockedComment, comment: Comment, article: str, new: NewText
) -> None:
    """Correct a locked comment for its author, unless that changes nothing; raises DuplicateComment.

    `comment` is the same as it was read once it was locked.
    """
    changes = work.part(CommentChanges)
    if await change_text(work, comment, changes.edits.waiting.get(comment.id), article, new):
        locked.version += 1
        changes.tallies.count_event(comment.site_id, "edit", work.now)
        log_comment(work, locked, "edit", locked.status)


def log_comment(
    work: Work,
    comment: LockedComment,
    action: str,
    before: Status,
    *,
    reason: str | None = None,
    note: str | None = None,
) -> LogEntry:
    """Note for the log what was done to a comment, which is by now as it will be."""
    entry = make_entry(
        action,
        work.now,
        work.actor_id,
        comment_id=comment.id,
        from_status=before,
        to_status=comment.status,
        version=comment.version,
        reason=reason,
    )
    return work.add_entry(comment.site_id, entry, note)


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


async def lock_rows(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, LockedComment]:
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


async def _read_authors(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, bytes]:
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
