"""Edits that wait beside comments for a moderator, and what becomes of them, in the caller's transaction.

While one waits, the comment has the fingerprint of the new text, because that is the text that will stand:
its author is told at once when somebody has sent it already, approving it changes no fingerprint any more,
and a repeat of it is refused. When it is dropped, the comment takes the fingerprint of its own text back,
unless another comment has come by it meanwhile: that one then stands against repeats, and this one goes
without.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, bindparam, case, delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import Update
from sqlmodel import SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from service.comments.errors import DuplicateComment
from service.comments.rules import LockedComment, find_run_of_edits
from service.comments.tables import Article, Comment, ProposedEdit
from service.comments.visibility import PRESENT_CHANGE, PRESENT_REVISION, bump_article
from service.errors import Conflict
from service.form.fields import REPEATED, make_fingerprint
from service.privacy.vault import Keyring
from service.text.markup import MARKUP_VERSION
from service.work import Work


class WaitingEdit(msgspec.Struct, frozen=True):
    """A new text that waits beside a comment."""

    text: str
    html: str
    markup: int
    search: str | None
    # What the comment has as its fingerprint once the edit is dropped.
    former_print: bytes | None


_WAITING: list[Any] = [
    *(col(ProposedEdit.comment_id), col(ProposedEdit.text), col(ProposedEdit.html)),
    *(col(ProposedEdit.markup), col(ProposedEdit.search)),
    *(col(Comment.site_id), col(Article.key), col(Comment.parent_id)),
    # As the comment has them, beside the new text.
    *(getattr(Comment, name).label(f"former_{name}") for name in REPEATED),
]


async def read_edits(
    session: AsyncSession, keyring: Keyring, ids: Iterable[UUID]
) -> dict[UUID, WaitingEdit]:
    """Read the edits that wait beside comments, which the caller has locked."""
    query = (
        select(*_WAITING)
        .join(Comment, col(Comment.id) == col(ProposedEdit.comment_id))
        .join(Article, col(Article.id) == col(Comment.article_id))
        .where(col(ProposedEdit.comment_id).in_(list(ids)))
        .order_by(col(ProposedEdit.comment_id))
    )
    rows = (await (await session.connection()).execute(query)).all()
    prints = await _find_former_prints(session, keyring, rows) if rows else {}
    return {
        row.comment_id: WaitingEdit(
            row.text, row.html, row.markup, row.search, prints.get(row.comment_id)
        )
        for row in rows
    }


async def _find_former_prints(
    session: AsyncSession, keyring: Keyring, rows: Iterable[Row[Any]]
) -> dict[UUID, bytes]:
    """Give the fingerprints of the comments' own texts, but for those that are taken."""
    wanted: dict[bytes, UUID] = {}
    for row in rows:
        content = {name: getattr(row, f"former_{name}") for name in REPEATED}
        print_ = make_fingerprint(keyring, row.site_id, row.key, row.parent_id, content)
        # Of two that had the same text one after the other, one can have it again.
        wanted.setdefault(print_, row.comment_id)
    query = select(col(Comment.fingerprint), col(Comment.id)).where(
        col(Comment.fingerprint).in_(list(wanted))
    )
    holders = dict((await (await session.connection()).execute(query)).all())
    # One that was only rendered anew has it already.
    return {
        comment_id: print_
        for print_, comment_id in wanted.items()
        if holders.get(print_, comment_id) == comment_id
    }


class Edits:
    """The waiting edits of locked comments and what becomes of them, gathered and then written together."""

    def __init__(self) -> None:
        self.waiting: dict[UUID, WaitingEdit] = {}
        self._taken: list[dict[str, Any]] = []
        self._refused: list[dict[str, Any]] = []
        self._settled: list[UUID] = []

    def take(self, comment: LockedComment, *, version: int) -> None:
        """Let the new text, if one waits, become the comment's under a version: the present or the next."""
        if edit := self.waiting.get(comment.id):
            names = ("text", "html", "markup", "search")
            texts = {f"new_{name}": getattr(edit, name) for name in names}
            self._taken.append({**_identify(comment, version), **texts})
            self._settled.append(comment.id)

    def drop(self, comment: LockedComment) -> None:
        """Let the new text, if one waits, go; the caller writes the fingerprint that the comment has now."""
        if edit := self.waiting.get(comment.id):
            comment.fingerprint = edit.former_print
            self._settled.append(comment.id)

    def refuse(self, comment: LockedComment, *, version: int) -> None:
        """Let the new text go where nothing else of the comment changes but its version."""
        if edit := self.waiting.get(comment.id):
            self.drop(comment)
            refused = {"refused": edit.text, "refused_markup": edit.markup}
            change = {"print": comment.fingerprint, **refused}
            self._refused.append({**_identify(comment, version), **change})

    async def write(self, work: Work) -> None:
        """Write what was gathered; who reads what is public hears of the texts that changed there."""
        if self._taken:
            await _bump_articles(work, [row["comment_id"] for row in self._taken])
            await _write_rows(work.session, _TAKE, self._taken)
        if self._refused:
            await _write_rows(work.session, _REFUSE, self._refused)
        if self._settled:
            await _delete_edits(work.session, self._settled)


def _identify(comment: LockedComment, version: int) -> dict[str, Any]:
    return {"comment_id": comment.id, "from_version": comment.version, "to_version": version}


async def _bump_articles(work: Work, ids: list[UUID]) -> None:
    """Raise the revisions of the articles under which some of the comments are to be seen."""
    query = select(col(Comment.article_id)).where(
        col(Comment.id).in_(ids), col(Comment.visibility) == "visible"
    )
    connection = await work.session.connection()
    for article_id in sorted(set((await connection.execute(query)).scalars())):
        await bump_article(work, article_id)


async def _write_rows(session: AsyncSession, change: Update, rows: list[dict[str, Any]]) -> None:
    written = await (await session.connection()).execute(change, rows)
    if written.rowcount != len(rows):
        # The locks rule it out; if they ever fail to, nothing of the transaction may stay.
        raise Conflict


async def _delete_edits(session: AsyncSession, ids: list[UUID]) -> None:
    gone = delete(ProposedEdit).where(col(ProposedEdit.comment_id).in_(ids))
    await (await session.connection()).execute(gone)


_COMMENT = SQLModel.metadata.tables["comment"]
_THIS_VERSION = update(_COMMENT).where(
    _COMMENT.c.id == bindparam("comment_id"), _COMMENT.c.version == bindparam("from_version")
)
_IS_VISIBLE = _COMMENT.c.visibility == "visible"
_TAKE = _THIS_VERSION.values(
    text=bindparam("new_text"),
    html=bindparam("new_html"),
    markup=bindparam("new_markup"),
    search=bindparam("new_search"),
    # A text that was only rendered anew is the author's first one still.
    edited=or_(_COMMENT.c.edited, _COMMENT.c.text != bindparam("new_text")),
    version=bindparam("to_version"),
    # What nobody sees must not be told of, not even as gone.
    public_revision=case((_IS_VISIBLE, PRESENT_REVISION), else_=_COMMENT.c.public_revision),
    changed_at=case((_IS_VISIBLE, PRESENT_CHANGE), else_=_COMMENT.c.changed_at),
)
_REFUSE = _THIS_VERSION.values(
    version=bindparam("to_version"),
    fingerprint=bindparam("print"),
    # A rendering of the text that stands is not proposed again.
    markup=case(
        (_COMMENT.c.text == bindparam("refused"), bindparam("refused_markup")),
        else_=_COMMENT.c.markup,
    ),
)


class NewText(msgspec.Struct, frozen=True):
    """A text that a comment is to have, with what is made of it before anybody waits for a lock."""

    text: str
    html: str
    search: str


async def change_text(
    work: Work, comment: Comment, waiting: WaitingEdit | None, article: str, new: NewText
) -> bool:
    """Correct a comment for its author; tells whether that changed anything. Raises DuplicateComment.

    The comment is a pending or an approved one that the caller has locked and then read, with what waits
    beside it. The text of a pending one is replaced; beside an approved one the new text waits, in the place
    of any before it.
    """
    session, text = work.session, new.text
    if text == (waiting or comment).text:
        return False
    to = comment.version + 1
    change: dict[str, Any] = {
        "version": to,
        "edited_from": find_run_of_edits(comment),
        "edited_to": to,
    }
    if waiting and text == comment.text:
        change["fingerprint"] = waiting.former_print
    else:
        content = {**{name: getattr(comment, name) for name in REPEATED}, "text": text}
        change["fingerprint"] = make_fingerprint(
            work.keyring, comment.site_id, article, comment.parent_id, content
        )
        if comment.status == "pending":
            # A comment that was sent back to the queue has been read with its old text.
            was_seen = comment.edited or comment.public_revision > 0
            change |= {"text": text, "html": new.html, "search": new.search}
            change |= {"markup": MARKUP_VERSION, "edited": was_seen}
    await _update_comment(session, comment, change)
    if waiting:
        await _delete_edits(session, [comment.id])
    if comment.status == "approved" and text != comment.text:
        session.add(propose(comment, new, work.now))
    return True


def propose(comment: Comment | LockedComment, new: NewText, now: datetime) -> ProposedEdit:
    """Make the edit that lets a new text wait beside a comment."""
    return ProposedEdit(
        comment_id=comment.id,
        site_id=comment.site_id,
        text=new.text,
        html=new.html,
        markup=MARKUP_VERSION,
        search=new.search,
        submitted_at=now,
    )


async def _update_comment(session: AsyncSession, comment: Comment, change: dict[str, Any]) -> None:
    this = _COMMENT.c.id == comment.id, _COMMENT.c.version == comment.version
    try:
        written = await (await session.connection()).execute(
            update(_COMMENT).where(*this).values(change)
        )
    except IntegrityError:
        # Nothing but the fingerprint has to be unique.
        raise DuplicateComment from None
    if written.rowcount != 1:
        raise Conflict
