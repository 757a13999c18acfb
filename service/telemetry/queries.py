"""Reading what the metrics say of the logs, and of what waits for moderators."""

from typing import Any

from sqlalchemy import and_, case, func, literal, tuple_
from sqlalchemy import select as select_columns
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.comments.tables import Comment, StatusTally
from service.modlog.rules import Head
from service.modlog.tables import LogHead
from service.sites.tables import Site
from service.telemetry.scraped import Backlog

PENDING = "pending"


async def read_heads(session: AsyncSession) -> dict[str, Head]:
    """Read the head of every site's log, by the site's slug."""
    query = select(Site.slug, LogHead).join(LogHead, col(LogHead.site_id) == Site.id)
    return {slug: Head(head.length, head.mac) for slug, head in await session.exec(query)}


async def read_backlogs(session: AsyncSession) -> dict[str, Backlog]:
    """Read how much is pending on each site, and since when, by the site's slug.

    It counts nothing: a row of the counters for each site, and the first one in the index of its queue.
    """
    connection = await session.connection()
    return {
        slug: Backlog(pending, oldest)
        for slug, pending, oldest in await connection.execute(_backlogs())
    }


def _backlogs() -> Any:
    is_counter = and_(col(StatusTally.site_id) == Site.id, col(StatusTally.status) == PENDING)
    site_id, status = col(Comment.site_id), col(Comment.status)
    is_theirs = and_(site_id == Site.id, status == PENDING)
    # The first entry from there on, whosoever it is. With an equality for each column PostgreSQL may go
    # by another index as well, past everything that waits on other sites.
    oldest = (
        select_columns(case((is_theirs, col(Comment.submitted_at))))
        .where(tuple_(site_id, status) >= tuple_(col(Site.id), literal(PENDING)))
        .order_by(site_id, status, col(Comment.id))
        .limit(1)
        .correlate(Site)
        .scalar_subquery()
    )
    pending = func.coalesce(StatusTally.total, 0)
    return select_columns(col(Site.slug), pending, oldest).outerjoin(StatusTally, is_counter)
