"""Comments and articles that are not as the log last said: somebody changed them behind its back."""

from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select, type_coerce
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import NullType
from sqlmodel import Session, col
from sqlmodel.ext.asyncio.session import AsyncSession

from service.comments.tables import Article, Comment
from service.database import table_of
from service.modlog.checking import Aspect
from service.modlog.rules import Flaw
from service.modlog.stored import read_pieces, require_bad_row
from service.modlog.tables import LogEntry
from service.privacy.vault import NO_SITE
from service.sites.tables import Site

# Comments that are looked at in one statement, and so at one moment: others go on being decided.
CHUNK = 500
# How a comment comes in, which the log does not tell of: what fills a trap is spam from the first.
SUBMITTED = {("pending", 1), ("spam", 1)}


ARTICLES = Aspect(
    "This article",
    {"article.open": "open", "article.closed": "closed"},
    (Article.site_id, Article.id, Article.is_closed),
    lambda is_closed: {1: "closed", 0: "open"}.get(is_closed, repr(is_closed)),
    unlogged="open",
)


async def find_unlogged(session: AsyncSession) -> dict[UUID, list[Flaw]]:
    """Find them by the id of their site, or NO_SITE; it ends the session's transaction between its pieces."""
    flaws: dict[UUID, list[Flaw]] = {}

    def find(_: object) -> None:
        plain = session.sync_session
        for site_id, flaw in (*_find(plain), *_find_gone(plain)):
            flaws.setdefault(site_id, []).append(flaw)

    await session.run_sync(find)
    return flaws


def _find(session: Session) -> Iterator[tuple[UUID, Flaw]]:
    last = None
    try:
        for piece in read_pieces(*_comments_with_newest(), partial(_read_piece, session)):
            for comment_id, site_id, *found in piece:
                if detail := _say_what_is_wrong(*found):
                    flaw = Flaw("unlogged", found[4] or 0, _read_id(comment_id), detail)
                    yield site_id or NO_SITE, flaw
            last = piece[-1][0]
    except DBAPIError as error:
        require_bad_row(error)
        behind = f"behind {_read_id(last)}" if last else "from the first on"
        yield NO_SITE, Flaw("unreadable", 0, None, f"The comments {behind} cannot be read.")


def _find_gone(session: Session) -> Iterator[tuple[UUID, Flaw]]:
    """Find what the log speaks of and is not there: a comment that was taken in is never deleted."""
    comment_id = type_coerce(LogEntry.comment_id, NullType())
    is_there = select(col(Comment.id)).where(col(Comment.id) == col(LogEntry.comment_id)).exists()
    wanted: list[Any] = [comment_id, Site.id, func.max(LogEntry.seq)]
    query: Any = (
        select(*wanted)
        .join(Site, col(Site.id) == col(LogEntry.site_id))
        .where(col(LogEntry.comment_id).is_not(None), ~is_there)
        .group_by(*wanted[:2])
    )
    for gone, site_id, seq in session.execute(query).all():
        yield site_id, Flaw("unlogged", seq, _read_id(gone), "The comment is not there any more.")
    session.rollback()


def _say_what_is_wrong(
    status: Any, version: Any, visibility: Any, reason: Any, seq: int | None, *logged: Any
) -> str | None:
    to_status, logged_version, moved, why = logged
    if (status, version) not in (SUBMITTED if seq is None else {(to_status, logged_version)}):
        return f"The comment is {status!r} at version {version!r}, of which the log knows nothing."
    if (seq is None or moved) and reason != why:
        return f"The comment's reason is {reason!r}; by the log it is {why!r}."
    if visibility == "visible" and status != "approved":
        return f"The comment is {status!r}, and is shown all the same."
    return None


def _read_piece(session: Session, query: Any) -> list[Any]:
    found = list(session.exec(query.limit(CHUNK)).all())
    session.rollback()
    return found


def _comments_with_newest() -> tuple[Any, Any]:
    """Give the query of comments with the newest entry of each, and the key that they are read by."""
    entry = table_of(LogEntry).alias()
    newest = (
        select(func.max(entry.c.seq))
        .where(entry.c.comment_id == Comment.id, entry.c.to_status.is_not(None))
        .scalar_subquery()
    )
    is_newest = and_(
        col(LogEntry.comment_id) == col(Comment.id),
        col(LogEntry.site_id) == col(Comment.site_id),
        col(LogEntry.seq) == newest,
    )
    columns = (Comment.id, Comment.status, Comment.version, Comment.visibility, Comment.reason)
    # What changes no status, as an edit does, keeps the reason of what did.
    moved = col(LogEntry.from_status) != col(LogEntry.to_status)
    # As they are stored: what is no id or no status is of interest here.
    comment_id, *stored = [type_coerce(column, NullType()) for column in columns]
    logged = (LogEntry.seq, LogEntry.to_status, LogEntry.version, moved, LogEntry.reason)
    wanted: list[Any] = [comment_id, Site.id, *stored, *logged]
    query: Any = (
        select(*wanted)
        .join_from(Comment, LogEntry, is_newest, isouter=True)
        .join(Site, col(Site.id) == col(Comment.site_id), isouter=True)
    )
    return query, comment_id


def _read_id(stored: Any) -> UUID | None:
    """Read an id of either database, which SQLite keeps as text."""
    try:
        return stored if isinstance(stored, UUID) else UUID(hex=str(stored))
    except ValueError:
        return None
