"""Changing comments within a unit of work: their status and the texts that wait, with all that follows.

Rows are locked in one order everywhere, so that no two transactions wait for each other: articles, comments,
addresses, tallies, and the heads of the logs last.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlmodel import col

from service.comments.edits import (
    NewText,
    change_text,
    drop_edit,
    read_edits,
    refuse_edit,
    take_edit,
)
from service.comments.rules import (
    FREES_FINGERPRINT,
    TAKES_EDITS,
    LockedComment,
    Status,
    lets_through,
)
from service.comments.tables import Article, Comment, ProposedEdit
from service.comments.tallies import Tallies
from service.comments.visibility import refresh_threads
from service.database import table_of
from service.errors import Conflict
from service.modlog.rules import Entry
from service.privacy.tables import SealedAddress
from service.work import Work

_COMMENT, _EDIT = table_of(Comment), table_of(ProposedEdit)
_WANTED: Any = bindparam("wanted", expanding=True)
_LOCK_ARTICLES = (
    select(col(Article.id))
    .where(col(Article.id).in_(select(_COMMENT.c.article_id).where(_COMMENT.c.id.in_(_WANTED))))
    .order_by(col(Article.id))
    .with_for_update(key_share=True)
)
# In the order of LockedComment's fields, behind which stands `has_replies`: so a row makes one.
_COLUMNS = [name for name in LockedComment.__struct_fields__ if name in _COMMENT.c]
_REPLY = _COMMENT.alias()
_HAS_REPLIES = select(_REPLY.c.id).where(_REPLY.c.parent_id == _COMMENT.c.id).exists()
_LOCK_COMMENTS = (
    select(*(_COMMENT.c[name] for name in _COLUMNS), _HAS_REPLIES, _EDIT.c.comment_id)
    .join_from(_COMMENT, _EDIT, _EDIT.c.comment_id == _COMMENT.c.id, isouter=True)
    .where(_COMMENT.c.id.in_(_WANTED))
    .order_by(_COMMENT.c.id)
    .with_for_update(key_share=True, of=_COMMENT)
)
# No rotation changes the index until the commit; the order is that in which one takes them.
_LOCK_AUTHORS: Any = (
    select(col(SealedAddress.id), col(SealedAddress.author_index))
    .where(col(SealedAddress.id).in_(_WANTED))
    .order_by(col(SealedAddress.key_id), col(SealedAddress.id))
    .with_for_update(read=True)
)
_MOVE = (
    update(_COMMENT)
    .where(_COMMENT.c.id == bindparam("comment_id"), _COMMENT.c.version == bindparam("from_version"))
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


class CommentChanges:
    """What a unit of work gathers of comments that it has locked."""

    def __init__(self) -> None:
        self.tallies = Tallies()
        self.moved: list[dict[str, Any]] = []
        self.seen: list[LockedComment] = []
        """Those whose move may change what the public sees."""

    def write(self, work: Work) -> None:
        """Write what was gathered, and bring what the public sees in line."""
        if self.moved:
            written = work.connection.execute(_MOVE, self.moved)
            if written.rowcount != len(self.moved):
                # The locks rule it out; if they ever fail to, nothing of the transaction may stay.
                raise Conflict
            if self.seen:
                refresh_threads(work, self.seen)
        self.tallies.write(work.connection)


def lock_comments(work: Work, ids: Iterable[UUID]) -> dict[UUID, LockedComment]:
    """Lock the articles of some comments, then the comments, and give these as they are now.

    The ids stay as they are, so that submissions may refer to the rows meanwhile (`FOR NO KEY UPDATE`): these
    take articles and parents in an order of their own, and would wait for us in a circle.
    """
    connection, wanted = work.connection, {"wanted": list(ids)}
    connection.execute(_LOCK_ARTICLES, wanted)
    comments, edited = {}, []
    for *columns, edit in connection.execute(_LOCK_COMMENTS, wanted):
        comment = LockedComment(*columns)
        comments[comment.id] = comment
        if edit:
            edited.append(comment.id)
    for comment_id, edit in read_edits(work, edited) if edited else ():
        comments[comment_id].edit = edit
    for comment_id, author in connection.execute(_LOCK_AUTHORS, wanted):
        comments[comment_id].author = author
    return comments


def move_comment(
    work: Work,
    comment: LockedComment,
    action: str,
    to: Status,
    *,
    reason: str | None = None,
    note: str | None = None,
) -> Entry:
    """Move a locked comment to a status, which releases any claim on it and raises its version.

    Whether the change is legal is the caller's to ask before. An edit beside it becomes its text when it is
    approved, and is dropped where no edit may wait.
    """
    changes, before = work.part(CommentChanges), comment.status
    if lets_through(before) or lets_through(to):
        changes.seen.append(comment)
    if action == "approve":
        take_edit(work, comment, version=comment.version)
    elif to not in TAKES_EDITS:
        drop_edit(work, comment)
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
    changes.tallies.count_change(comment, before, action, work.now)
    return log_comment(work, comment, action, before, reason=reason, text=note)


def settle_edit(
    work: Work,
    comment: LockedComment,
    action: str,
    *,
    reason: str | None = None,
    note: str | None = None,
) -> Entry:
    """Publish the edit beside a locked comment, or drop it unless approved; that raises the version alone."""
    settle = take_edit if action == "approve" else refuse_edit
    settle(work, comment, version=comment.version + 1)
    comment.version += 1
    work.part(CommentChanges).tallies.count_event(comment.site_id, action, work.now)
    return log_comment(work, comment, action, comment.status, reason=reason, text=note)


def edit_text(work: Work, locked: LockedComment, comment: Comment, article: str, new: NewText) -> None:
    """Correct a locked comment for its author, unless that changes nothing; raises DuplicateComment.

    `comment` is the same as it was read once it was locked.
    """
    if change_text(work, locked, comment, article, new):
        locked.version += 1
        work.part(CommentChanges).tallies.count_event(comment.site_id, "edit", work.now)
        log_comment(work, locked, "edit", locked.status)


def log_comment(
    work: Work, comment: LockedComment, action: str, before: Status, **about: str | None
) -> Entry:
    """Note for the log what was done to a comment, which is by now as it will be."""
    return work.log(
        comment.site_id,
        action,
        comment_id=comment.id,
        from_status=before,
        to_status=comment.status,
        version=comment.version,
        **about,
    )
