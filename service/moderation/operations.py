"""What a moderator can look at, and the one thing that is never shown without a trace: an address."""

from uuid import UUID

import msgspec
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.rules import Caller, Role
from service.clock import parse_id
from service.comments.tables import Comment
from service.errors import Gone, NotFound
from service.http.cursors import Position, make_cursor, read_cursor
from service.http.faults import Faults
from service.moderation import queries
from service.moderation.queue import NO_RISK, find_queued
from service.moderation.schemas import (
    CommentDetail,
    ListLog,
    ListQueue,
    LogPage,
    Queue,
    RevealedEmail,
    RevealEmail,
    ShowStats,
    Stats,
)
from service.modlog.tables import LogEntry
from service.privacy.tables import SealedAddress
from service.privacy.vault import NO_SITE
from service.rate_limiting.rules import Limit, Rule
from service.services import Services
from service.sites.articles import clean_article
from service.sites.directory import KnownSite

REVEALS = Limit(burst=30, period_seconds=3_600)


async def list_queue(
    services: Services, caller: Caller, wanted: ListQueue, faults: Faults | None = None
) -> Queue:
    """List comments of one status, page by page, with the pending ones those whose edit waits.

    Raises NotFound or Invalid, with what `faults` hold already.
    """
    with faults or Faults() as faults:
        is_ranked = wanted.order == "risk"
        after = read_cursor(wanted.cursor, wanted.order, faults, is_ranked=is_ranked)
        site, sites = await _choose_sites(services, caller, wanted.site)
        # Without its site it has to be canonical already.
        to_key = site.article_key if site else clean_article
        article = faults.check(to_key, wanted.article, parameter="article")
    async with services.reading() as session:
        ids = await find_queued(session, sites, article, wanted, after)
        keyring = await services.vault.keyring(session)
        page = await queries.read_queued(session, keyring, ids[: wanted.limit], services.clock())
        counts = await queries.count_statuses(session, sites)
    if len(ids) <= wanted.limit:
        return Queue(page, None, counts)
    last, rank = ids[wanted.limit - 1], page[-1].risk
    position = Position(wanted.order, last, NO_RISK if rank is None else rank)
    return Queue(page, make_cursor(position), counts)


async def _choose_sites(
    services: Services, caller: Caller, slug: str | None
) -> tuple[KnownSite | None, list[UUID] | None]:
    """Give the one site asked for, or all that the caller may see (None is every one)."""
    if slug is None:
        return None, caller.sites()
    site = await services.directory.get(slug)
    caller.require(site.id, Role.VIEWER)
    return site, [site.id]


async def find_comment(session: AsyncSession, caller: Caller, comment_id: str, role: Role) -> Comment:
    """Give a comment on whose site the caller has a role; raises NotFound or NotAllowed."""
    known_id = parse_id(comment_id)
    comment = await session.get(Comment, known_id) if known_id else None
    if comment is None:
        raise NotFound
    caller.require(comment.site_id, role)
    return comment


async def show_comment(services: Services, caller: Caller, comment_id: str) -> CommentDetail:
    """Show one comment with its log; raises NotFound."""
    async with services.reading() as session:
        comment = await find_comment(session, caller, comment_id, Role.VIEWER)
        keyring = await services.vault.keyring(session)
        [view] = await queries.read_queued(session, keyring, [comment.id], services.clock())
        query = select(LogEntry).where(LogEntry.comment_id == comment.id)
        entries = (await session.exec(query.order_by(col(LogEntry.seq)))).all()
        log = await queries.read_log(session, entries)
    return CommentDetail(**msgspec.structs.asdict(view), log=log)


async def reveal_email(
    services: Services, caller: Caller, comment_id: str, command: RevealEmail
) -> RevealedEmail:
    """Show the address of a commenter, and write into the log who asked and what for.

    Raises NotFound, NotAllowed, RateLimited, or Gone when the address was erased.
    """
    async with services.reading() as session:
        await find_comment(session, caller, comment_id, Role.MODERATOR)
    await services.charge([Rule("reveal", REVEALS, str(caller.moderator_id))])
    async with services.changing(caller.moderator_id) as work:
        comment = await find_comment(work.session, caller, comment_id, Role.MODERATOR)
        sealed = await work.session.get(SealedAddress, comment.id)
        if sealed is None:
            raise Gone("The address was erased.")
        work.log(comment.site_id, "reveal", comment_id=comment.id, text=command.purpose)
        return RevealedEmail(work.keyring.open_address(sealed))


async def list_log(services: Services, caller: Caller, wanted: ListLog, after: Position | None) -> LogPage:
    """List the log of a site, or of all that the caller may see, the newest entry first."""
    _, sites = await _choose_sites(services, caller, wanted.site)
    query = select(LogEntry).order_by(col(LogEntry.id).desc()).limit(wanted.limit + 1)
    if sites is not None:
        query = query.where(col(LogEntry.site_id).in_(sites))
    elif not caller.is_whole:
        # What was done about accounts is for those who may do it.
        query = query.where(LogEntry.site_id != NO_SITE)
    if after:
        query = query.where(col(LogEntry.id) < after.id)
    async with services.reading() as session:
        found = (await session.exec(query)).all()
        entries = await queries.read_log(session, found[: wanted.limit])
    if len(found) <= wanted.limit:
        return LogPage(entries, None)
    return LogPage(entries, make_cursor(Position("log", found[wanted.limit - 1].id)))


async def show_stats(services: Services, caller: Caller, wanted: ShowStats) -> Stats:
    """Give the counters of a site, or of all that the caller may see together."""
    _, sites = await _choose_sites(services, caller, wanted.site)
    async with services.reading() as session:
        statuses = await queries.count_statuses(session, sites)
        days = await queries.count_days(session, sites, services.clock(), wanted.days)
    return Stats(statuses, days)
