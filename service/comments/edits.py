"""Edits that wait beside comments for a moderator, and what becomes of them, in the caller's transaction.

While one waits, the comment has the fingerprint of the new text, because that is the text that will stand:
its author is told at once when somebody has sent it already, approving it changes no fingerprint any more,
and a repeat of it is refused. When it is dropped, the comment takes the fingerprint of its own text back,
unless another comment has come by it meanwhile: that one then stands against repeats, and this one goes
without.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, case, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from service.comments.errors import DuplicateComment
from service.comments.rules import LockedComment, WaitingEdit
from service.comments.tables import Article, Comment, ProposedEdit
from service.comments.visibility import SEEN_NOW, bump_article
from service.database import table_of
from service.errors import Conflict
from service.form.fields import REPEATED, make_fingerprint
from service.text.markup import MARKUP_VERSION
from service.work import Work

_COMMENT, _EDIT = table_of(Comment), table_of(ProposedEdit)


def read_edits(work: Work, ids: Sequence[UUID]) -> Iterator[tuple[UUID, WaitingEdit]]:
    """Read the edits that wait beside comments, which the caller has locked."""
    # As the comment has them, beside the new text.
    former = [_COMMENT.c[name].label(f"former_{name}") for name in REPEATED]
    edit = [_EDIT.c[name] for name in ("text", "html", "markup", "search")]
    place = ("id", "site_id", "parent_id")
    query = (
        select(*edit, *(_COMMENT.c[name] for name in place), col(Article.key), *former)
        .join(_COMMENT, _COMMENT.c.id == _EDIT.c.comment_id)
        .join(Article, col(Article.id) == _COMMENT.c.article_id)
        .where(_EDIT.c.comment_id.in_(ids))
        .order_by(_EDIT.c.comment_id)
    )
    found = work.connection.execute(query).all()
    # Of two that had the same text one after the other, one can have it again.
    wanted: dict[bytes, UUID] = {}
    for row in found:
        content = {name: getattr(row, f"former_{name}") for name in REPEATED}
        print_ = make_fingerprint(work.keyring, row.site_id, row.key, row.parent_id, content)
        wanted.setdefault(print_, row.id)
    taken = select(_COMMENT.c.fingerprint, _COMMENT.c.id).where(_COMMENT.c.fingerprint.in_(list(wanted)))
    holders = dict(work.connection.execute(taken).all())
    # One that was only rendered anew has it already.
    prints = {
        comment_id: print_
        for print_, comment_id in wanted.items()
        if holders.get(print_, comment_id) == comment_id
    }
    for row in found:
        yield row.id, WaitingEdit(*row[:4], former_print=prints.get(row.id))


def take_edit(work: Work, comment: LockedComment, *, version: int) -> None:
    """Let the new text, if one waits, become the comment's under a version: the present or the next."""
    if edit := comment.edit:
        change = {name: getattr(edit, name) for name in ("text", "html", "markup", "search")}
        # A text that was only rendered anew is the author's first one still.
        change["edited"] = or_(_COMMENT.c.edited, _COMMENT.c.text != edit.text)
        # What nobody sees must not be told of, not even as gone.
        if comment.visibility == "visible":
            bump_article(work, comment.article_id)
            change |= SEEN_NOW
        update_comment(work.connection, comment, {**change, "version": version})
        delete_edit(work.connection, comment.id)


def drop_edit(work: Work, comment: LockedComment) -> None:
    """Let the new text, if one waits, go; the caller writes the fingerprint that the comment has now."""
    if edit := comment.edit:
        comment.fingerprint = edit.former_print
        delete_edit(work.connection, comment.id)


def refuse_edit(work: Work, comment: LockedComment, *, version: int) -> None:
    """Let the new text go where nothing else of the comment changes but its version."""
    if edit := comment.edit:
        drop_edit(work, comment)
        # A rendering of the text that stands is not proposed again.
        markup = case((_COMMENT.c.text == edit.text, edit.markup), else_=_COMMENT.c.markup)
        change = {"version": version, "fingerprint": comment.fingerprint, "markup": markup}
        update_comment(work.connection, comment, change)


def delete_edit(connection: Connection, comment_id: UUID) -> None:
    connection.execute(delete(_EDIT).where(_EDIT.c.comment_id == comment_id))


class NewText(msgspec.Struct, frozen=True):
    """A text that a comment is to have, with what is made of it before anybody waits for a lock."""

    text: str
    html: str
    search: str


def change_text(work: Work, locked: LockedComment, comment: Comment, article: str, new: NewText) -> bool:
    """Correct a comment for its author; tells whether that changed anything. Raises DuplicateComment.

    The comment is a pending or an approved one that the caller has locked and then read, with what waits
    beside it. The text of a pending one is replaced; beside an approved one the new text waits, in the place
    of any before it.
    """
    text, waiting = new.text, locked.edit
    if text == (waiting or comment).text:
        return False
    change = raise_version(locked)
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
    try:
        update_comment(work.connection, locked, change)
    except IntegrityError:
        # Nothing but the fingerprint has to be unique.
        raise DuplicateComment from None
    if waiting:
        delete_edit(work.connection, comment.id)
    if comment.status == "approved" and text != comment.text:
        propose(work, locked, new)
    return True


def raise_version(comment: LockedComment) -> dict[str, Any]:
    """Give what notes that nobody but its author changed a comment to its next version."""
    to = comment.version + 1
    # Else it was somebody else who changed it last.
    is_run = comment.edited_to == comment.version
    edited_from = comment.edited_from if is_run else comment.version
    return {"version": to, "edited_from": edited_from, "edited_to": to}


def propose(work: Work, comment: LockedComment, new: NewText) -> None:
    """Let a new text wait beside a comment."""
    row = {"comment_id": comment.id, "site_id": comment.site_id, "submitted_at": work.now}
    row |= {"markup": MARKUP_VERSION, **msgspec.structs.asdict(new)}
    work.connection.execute(insert(_EDIT), row)


def update_comment(connection: Connection, comment: LockedComment, change: dict[str, Any]) -> None:
    """Change a locked comment that is at the version at which it was read."""
    this = _COMMENT.c.id == comment.id, _COMMENT.c.version == comment.version
    if connection.execute(update(_COMMENT).where(*this).values(change)).rowcount != 1:
        # The locks rule it out; if they ever fail to, nothing of the transaction may stay.
        raise Conflict
