"""Bringing what is made of comments' texts up to date, in the caller's transactions: HTML and search.

Nothing becomes public that no moderator has seen: an approved comment of which more words would be seen keeps
its HTML, and the new one waits beside it as a correction does.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from html import unescape
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    Connection,
    Row,
    literal_column,
    not_,
    or_,
    select,
    update,
)
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from service.clock import id_of_moment
from service.comments.changing import lock_comments, log_comment
from service.comments.edits import NewText, propose, raise_version, update_comment
from service.comments.rules import LEGAL_FROM, LockedComment
from service.comments.search import make_search
from service.comments.tables import Comment, ProposedEdit
from service.comments.visibility import SEEN_NOW, bump_article
from service.database import table_of
from service.modlog.tables import LogEntry
from service.text.markup import MARKUP_VERSION, render_html
from service.work import Work

ACTION = "rendered"
_COMMENT, _EDIT = table_of(Comment), table_of(ProposedEdit)
# Written out, so that SQLite finds its index of those that are older.
_IS_OLD = _COMMENT.c.markup < literal_column(str(MARKUP_VERSION))
_STORED: list[Any] = [
    *(_COMMENT.c[name] for name in ("id", "status", "name", "url", "visibility")),
    *(_COMMENT.c[name] for name in ("text", "html", "markup", "search")),
    *(_EDIT.c[name].label(f"edit_{name}") for name in ("text", "html", "markup", "search")),
]


class Rendering(msgspec.Struct, frozen=True):
    """A comment's text and that of the edit beside it, and what the present markup makes of them."""

    own: NewText
    edit: NewText | None


async def find_old(session: AsyncSession, limit: int) -> list[UUID]:
    """Find comments that an older version wrote, or of which an edit waits that one wrote.

    Beside which an edit waits that is as it has to be, they wait for what becomes of it.
    """
    is_old = or_(_EDIT.c.markup < MARKUP_VERSION, _EDIT.c.search.is_(None))
    is_free = _COMMENT.c.id.not_in(select(_EDIT.c.comment_id).where(not_(is_old)))
    connection = await session.connection()
    for query in (
        # One by one, each along an index of its own.
        select(_COMMENT.c.id).where(_IS_OLD, is_free).order_by(_COMMENT.c.id),
        select(_COMMENT.c.id).where(_COMMENT.c.search.is_(None)).order_by(_COMMENT.c.id),
        select(_EDIT.c.comment_id).where(is_old),
    ):
        if found := (await connection.execute(query.limit(limit))).scalars().all():
            return list(found)
    return []


async def find_changed(session: AsyncSession, since: datetime) -> list[UUID]:
    """Find comments whose text was changed since: perhaps an older version's process has rendered it."""
    query = select(col(LogEntry.comment_id)).where(
        col(LogEntry.id) > id_of_moment(since), col(LogEntry.action).in_({"edit", "approve"})
    )
    found = await (await session.connection()).execute(query.distinct())
    return [comment_id for comment_id in found.scalars() if comment_id]


def read_stored(connection: Connection, ids: Collection[UUID]) -> Sequence[Row[Any]]:
    """Read the texts of comments and of the edits beside them, with what they were rendered as."""
    query = (
        select(*_STORED)
        .join_from(_COMMENT, _EDIT, _EDIT.c.comment_id == _COMMENT.c.id, isouter=True)
        .where(_COMMENT.c.id.in_(ids))
        .order_by(_COMMENT.c.id)
    )
    return connection.execute(query).all()


def render_again(rows: Iterable[Row[Any]]) -> dict[UUID, Rendering]:
    """Render comments anew, by their ids; those are left out that are as they have to be."""
    found = {}
    for row in rows:
        edit = None if row.edit_text is None else _make(row, row.edit_text)
        rendering = Rendering(_make(row, row.text), edit)
        if not _is_settled(row, rendering):
            found[row.id] = rendering
    return found


def _make(row: Row[Any], text: str) -> NewText:
    html = render_html(text)
    return NewText(text, html, make_search(row.name, row.url, text, html))


def _is_settled(row: Row[Any], rendering: Rendering) -> bool:
    made_by = (row.edit_markup, *(() if _waits(row, rendering) else (row.markup,)))
    if any(number is not None and number < MARKUP_VERSION for number in made_by):
        return False
    own, edit = rendering.own, rendering.edit
    found = (row.search, row.edit_html, row.edit_search)
    if found != (own.search, edit and edit.html, edit and edit.search):
        return False
    return _is_kept(row, rendering) or row.html == own.html


def _is_kept(row: Row[Any], rendering: Rendering) -> bool:
    """Tell whether the public goes on seeing the HTML of before, since the new one shows more."""
    return row.status == "approved" and gains_words(row.html, rendering.own.html)


def _waits(row: Row[Any], rendering: Rendering) -> bool:
    """Tell whether the new HTML waits for a moderator, or for an edit that takes the place for that."""
    return row.edit_text is not None and _is_kept(row, rendering)


def gains_words(before: str, after: str) -> bool:
    """Tell whether a reader would see words or pictures in one HTML that the other does not show."""
    return bool(_count_words(after) - _count_words(before))


def _count_words(html: str) -> Counter[str]:
    # Where a link ends is not where a word does, or a longer one would have a new word.
    shown = unescape(re.sub("<[^>]*>", " ", re.sub("</?a[^>]*>", "", html)))
    # Of ASCII, what is no word may be marks that took effect before.
    return Counter(re.findall(r"\w+|[^\s\w\x00-\x7f]", shown))


def write_renderings(work: Work, renderings: Mapping[UUID, Rendering]) -> None:
    """Store renderings of the texts that comments still have; whoever reads hears of what changed."""
    locked = lock_comments(work, renderings)
    for row in read_stored(work.connection, list(locked)):
        rendering = renderings[row.id]
        found = (rendering.own.text, rendering.edit and rendering.edit.text)
        if (row.text, row.edit_text) == found and not _is_settled(row, rendering):
            _write(work, row, locked[row.id], rendering)


def _write(work: Work, row: Row[Any], comment: LockedComment, rendering: Rendering) -> None:
    own, edit, is_kept = rendering.own, rendering.edit, _is_kept(row, rendering)
    change: dict[str, Any] = {"search": own.search}
    # What has to wait stays old, to be looked at again, until a moderator refuses or approves it.
    if not is_kept:
        change |= {"html": own.html, "markup": MARKUP_VERSION}
    # What nobody sees must not be told of.
    if not is_kept and row.visibility == "visible" and own.html != row.html:
        bump_article(work, comment.article_id)
        change |= SEEN_NOW
    # As if its author had corrected it.
    is_proposed = is_kept and not edit and row.markup < MARKUP_VERSION
    is_raised = is_proposed or _has_gained(row, rendering)
    if is_raised:
        # Decisions about what it was before are stale.
        change |= raise_version(comment)
    update_comment(work.connection, comment, change)
    if is_proposed:
        propose(work, comment, own)
    if edit:
        change = {"html": edit.html, "markup": MARKUP_VERSION, "search": edit.search}
        work.connection.execute(update(_EDIT).where(_EDIT.c.comment_id == row.id).values(change))
    if is_raised:
        comment.version += 1
        log_comment(work, comment, ACTION, comment.status)


def _has_gained(row: Row[Any], rendering: Rendering) -> bool:
    """Tell whether what a moderator may approve, or put back, shows more than who has looked at it saw."""
    if rendering.edit:
        return gains_words(row.edit_html, rendering.edit.html)
    return row.status in LEGAL_FROM["approve"] and gains_words(row.html, rendering.own.html)
