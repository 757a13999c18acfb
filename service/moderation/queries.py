"""Reading the queue and the log."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, get_args
from uuid import UUID

from sqlalchemy import Float, and_, func, literal_column, or_, union_all
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.schemas import ModeratorRef
from service.accounts.tables import Moderator
from service.comments.rules import Status
from service.comments.tables import Article, Comment, DailyTally, ProposedEdit, StatusTally
from service.http.cursors import Position
from service.moderation.schemas import (
    AuthorRecord,
    Claim,
    DayStats,
    ListQueue,
    LogLine,
    QueuedComment,
)
from service.modlog.tables import LogEntry, LogText
from service.privacy.hints import hint_address
from service.privacy.tables import AuthorTally, SealedAddress
from service.privacy.vault import Keyring
from service.sites.tables import Site

# Beyond this many sites one walk over the installation's queue is cheaper than one walk per site.
MAX_WALKS = 50
# Comments without a risk come after those with one.
NO_RISK = -1.0


async def find_queued(
    session: AsyncSession,
    sites: Sequence[UUID] | None,
    article: str | None,
    wanted: ListQueue,
    after: Position | None,
) -> list[UUID]:
    """Give the ids of the page that starts after a position, and of one more if there is more.

    `sites` of None is every site.
    """
    filters: list[Any] = [Comment.status == wanted.status]
    if wanted.q:
        filters.append(_holds(wanted.q))
    if after:
        filters.append(_comes_after(after))
    if article is not None:
        # The articles alone, so that the walk goes along their index and not along the site's.
        articles = (await session.exec(_articles(sites, article))).all()
        return await _walk(session, [*filters, col(Comment.article_id).in_(articles)], wanted)
    if sites is None:
        return await _walk(session, filters, wanted)
    if len(sites) > MAX_WALKS:
        return await _walk(session, [*filters, col(Comment.site_id).in_(sites)], wanted)
    return await _walk_each(session, sites, filters, wanted)


def _articles(sites: Sequence[UUID] | None, key: str) -> Any:
    query = select(Article.id).where(Article.key == key)
    return query if sites is None else query.where(col(Article.site_id).in_(sites))


def _holds(words: str) -> Any:
    return or_(
        col(Comment.text).icontains(words, autoescape=True),
        col(Comment.name).icontains(words, autoescape=True),
    )


def rank_by_risk() -> Any:
    """Give what `order=risk` sorts by, spelt as the index on it is."""
    return literal_column("coalesce(comment.risk, -1.0)", Float())


def _comes_after(after: Position) -> Any:
    if after.order == "newest":
        return col(Comment.id) < after.id
    if after.order == "oldest":
        return col(Comment.id) > after.id
    return or_(
        rank_by_risk() < after.rank, and_(rank_by_risk() == after.rank, col(Comment.id) > after.id)
    )


def _order(order: str) -> list[Any]:
    by_id = col(Comment.id).desc() if order == "newest" else col(Comment.id)
    return [rank_by_risk().desc(), by_id] if order == "risk" else [by_id]


async def _walk(session: AsyncSession, filters: list[Any], wanted: ListQueue) -> list[UUID]:
    query = select(Comment.id).where(*filters).order_by(*_order(wanted.order))
    return list((await session.exec(query.limit(wanted.limit + 1))).all())


async def _walk_each(
    session: AsyncSession, sites: Sequence[UUID], filters: list[Any], wanted: ListQueue
) -> list[UUID]:
    """Walk the index of each site as far as one page, then merge: no walk depends on other sites."""
    walks = [
        select(Comment.id)
        .where(Comment.site_id == site_id, *filters)
        .order_by(*_order(wanted.order))
        .limit(wanted.limit + 1)
        .subquery()
        for site_id in sites
    ]
    if not walks:
        return []
    together = union_all(*(select(walk.c.id) for walk in walks)).subquery()
    chosen = col(Comment.id).in_(select(together.c.id))
    return await _walk(session, [chosen], wanted)


async def count_statuses(session: AsyncSession, sites: Sequence[UUID] | None) -> dict[Status, int]:
    """Give how many comments of the sites have each status, from the counters."""
    query = select(StatusTally.status, func.sum(StatusTally.total)).group_by(StatusTally.status)
    if sites is not None:
        query = query.where(col(StatusTally.site_id).in_(sites))
    found = dict((await session.exec(query)).all())
    return {status: int(found.get(status, 0)) for status in get_args(Status)}


async def count_days(
    session: AsyncSession, sites: Sequence[UUID] | None, now: datetime, days: int
) -> list[DayStats]:
    """Give what happened on each of the last days, the oldest first."""
    query = (
        select(col(DailyTally.day), col(DailyTally.event), func.sum(DailyTally.total))
        .where(DailyTally.day > (now - timedelta(days=days)).date())
        .group_by(col(DailyTally.day), col(DailyTally.event))
        .order_by(col(DailyTally.day), col(DailyTally.event))
    )
    if sites is not None:
        query = query.where(col(DailyTally.site_id).in_(sites))
    found: dict[Any, dict[str, int]] = {}
    for day, event, total in await session.exec(query):
        found.setdefault(day, {})[event] = int(total)
    return [DayStats(day, events) for day, events in found.items()]


async def read_queued(
    session: AsyncSession, keyring: Keyring, ids: Sequence[UUID], now: datetime
) -> list[QueuedComment]:
    """Read comments as moderators see them, in the order asked."""
    query = (
        select(Comment, Article.key, Site.slug, SealedAddress)
        .join(Article, col(Article.id) == col(Comment.article_id))
        .join(Site, col(Site.id) == col(Comment.site_id))
        .join(SealedAddress, col(SealedAddress.id) == col(Comment.id), isouter=True)
        .where(col(Comment.id).in_(ids))
        .execution_options(populate_existing=True)
    )
    rows = (await session.exec(query)).all()
    records = await _author_records(session, [sealed for *_, sealed in rows if sealed])
    names = await read_names(session, [row[0].claimed_by for row in rows])
    edits = select(ProposedEdit.comment_id).where(col(ProposedEdit.comment_id).in_(ids))
    edited = set((await session.exec(edits)).all())
    views = {
        comment.id: _view(keyring, comment, key, slug, sealed, records, names, edited, now)
        for comment, key, slug, sealed in rows
    }
    return [views[comment_id] for comment_id in ids if comment_id in views]


def _view(
    keyring: Keyring,
    comment: Comment,
    key: str,
    slug: str,
    sealed: SealedAddress | None,
    records: dict[tuple[UUID | None, bytes], AuthorRecord],
    names: dict[UUID, str],
    edited: set[UUID],
    now: datetime,
) -> QueuedComment:
    author = (sealed.site_id, sealed.author_index) if sealed else (None, b"")
    return QueuedComment(
        id=str(comment.id),
        site=slug,
        article=key,
        parent=str(comment.parent_id) if comment.parent_id else None,
        name=comment.name,
        email_hint=hint_address(keyring.open_address(sealed)) if sealed else None,
        url=comment.url,
        text=comment.text,
        html=comment.html,
        status=comment.status,
        version=comment.version,
        edit=comment.id in edited,
        submitted_at=comment.submitted_at,
        decided_at=comment.decided_at,
        risk=comment.risk,
        signals=comment.signals,
        author=records.get(author, AuthorRecord()),
        claim=_claim(comment, names, now),
    )


def _claim(comment: Comment, names: dict[UUID, str], now: datetime) -> Claim | None:
    if comment.claimed_by is None or comment.claimed_until is None or comment.claimed_until <= now:
        return None
    holder = ModeratorRef(str(comment.claimed_by), names[comment.claimed_by])
    return Claim(holder, comment.claimed_until)


async def _author_records(
    session: AsyncSession, sealed: list[SealedAddress]
) -> dict[tuple[UUID | None, bytes], AuthorRecord]:
    # By both columns of the key: by the second one alone every author there is would be looked at.
    sites = {row.site_id for row in sealed}
    indexes = {row.author_index for row in sealed}
    query = select(AuthorTally).where(
        col(AuthorTally.site_id).in_(sites), col(AuthorTally.author_index).in_(indexes)
    )
    return {
        (row.site_id, row.author_index): AuthorRecord(row.approved, row.rejected, row.spam)
        for row in (await session.exec(query)).all()
    }


async def read_names(session: AsyncSession, ids: Sequence[UUID | None]) -> dict[UUID, str]:
    """Give the names of moderators by their ids."""
    wanted = {one for one in ids if one}
    query = select(Moderator.id, Moderator.name).where(col(Moderator.id).in_(wanted))
    return dict((await session.exec(query)).all())


async def read_log(session: AsyncSession, entries: Sequence[LogEntry]) -> list[LogLine]:
    """Give entries of the log with the names and notes that belong to them."""
    names = await read_names(session, [entry.actor_id for entry in entries])
    sites = select(Site.id, Site.slug).where(col(Site.id).in_({entry.site_id for entry in entries}))
    slugs = dict((await session.exec(sites)).all())
    notes = select(LogText.entry_id, LogText.text)
    chosen = notes.where(col(LogText.entry_id).in_([entry.id for entry in entries]))
    texts = dict((await session.exec(chosen)).all())
    return [_line(entry, names, slugs, texts) for entry in entries]


def _line(
    entry: LogEntry, names: dict[UUID, str], slugs: dict[UUID, str], texts: dict[UUID, str]
) -> LogLine:
    actor = entry.actor_id
    return LogLine(
        id=str(entry.id),
        site=slugs.get(entry.site_id),
        seq=entry.seq,
        at=entry.at,
        actor=ModeratorRef(str(actor), names.get(actor, "")) if actor else None,
        action=entry.action,
        comment=str(entry.comment_id) if entry.comment_id else None,
        from_status=entry.from_status,
        to_status=entry.to_status,
        version=entry.version,
        reason=entry.reason,
        subject=entry.subject,
        note=texts.get(entry.id),
        note_erased=entry.text_hash is not None and entry.id not in texts,
        hash=entry.mac.hex(),
    )
