"""Reading the queue and the log."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, get_args
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.schemas import ModeratorRef
from service.accounts.tables import Moderator
from service.comments.rules import Status
from service.comments.tables import Article, Comment, DailyTally, ProposedEdit, StatusTally
from service.moderation.rules import holds_claim
from service.moderation.schemas import (
    AuthorRecord,
    Claim,
    DayStats,
    LogLine,
    Proposed,
    QueuedComment,
)
from service.modlog.tables import LogEntry, LogText
from service.privacy.addresses import hint_address
from service.privacy.tables import AuthorTally, SealedAddress
from service.privacy.vault import Keyring
from service.sites.tables import Site

# What moderators see of a comment, and of an entry, as it is stored.
_OF_COMMENT = {*QueuedComment.__struct_fields__} & Comment.model_fields.keys() - {"id"}
_OF_ENTRY = {*LogLine.__struct_fields__} & LogEntry.model_fields.keys() - {"id"}


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
    edits = await _read_proposed(session, ids)
    views = {}
    for comment, key, slug, sealed in rows:
        author = (sealed.site_id, sealed.author_index) if sealed else (None, b"")
        views[comment.id] = QueuedComment(
            id=str(comment.id),
            site=slug,
            article=key,
            parent=str(comment.parent_id) if comment.parent_id else None,
            email_hint=hint_address(keyring.open_address(sealed)) if sealed else None,
            edit=comment.id in edits,
            proposed=edits.get(comment.id),
            author=records.get(author, AuthorRecord()),
            claim=_claim(comment, names, now),
            **{name: getattr(comment, name) for name in _OF_COMMENT},
        )
    return [views[comment_id] for comment_id in ids if comment_id in views]


async def _read_proposed(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, Proposed]:
    query = select(ProposedEdit).where(col(ProposedEdit.comment_id).in_(ids))
    return {
        row.comment_id: Proposed(row.text, row.html, row.submitted_at)
        for row in (await session.exec(query)).all()
    }


def _claim(comment: Comment, names: dict[UUID, str], now: datetime) -> Claim | None:
    until = comment.claimed_until
    if comment.claimed_by is None or until is None or not holds_claim(until, now):
        return None
    holder = ModeratorRef(str(comment.claimed_by), names[comment.claimed_by])
    return Claim(holder, until)


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
    return [
        LogLine(
            id=str(entry.id),
            site=slugs.get(entry.site_id),
            actor=ModeratorRef(str(actor), names.get(actor, "")) if (actor := entry.actor_id) else None,
            comment=str(entry.comment_id) if entry.comment_id else None,
            note=texts.get(entry.id),
            note_erased=entry.text_hash is not None and entry.id not in texts,
            hash=entry.mac.hex(),
            **{name: getattr(entry, name) for name in _OF_ENTRY},
        )
        for entry in entries
    ]
