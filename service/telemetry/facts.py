"""What the metrics say of the database: read for each answer, and absent when it cannot be read."""

from collections.abc import Awaitable, Callable
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy import and_, case, func, literal, tuple_
from sqlalchemy import select as select_columns
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.comments.rules import Status
from service.comments.tables import Comment, StatusTally
from service.concurrency.patience import Patience
from service.database import Database
from service.database.probing import GONE
from service.errors import Unavailable
from service.modlog.tables import LogHead
from service.sites.tables import Site

# 48 bits of a hash are exact in the floating point numbers of metrics.
HEAD_BYTES = 6
PENDING: Status = "pending"


async def read_facts(database: Database, seconds: float) -> list[Metric]:
    """Read what there is to say of the database, within so many seconds for each half of it."""
    state = await database.probe.state(seconds)
    is_up = state not in GONE
    up = GaugeMetricFamily("greenroom_database_up", "1 while the database answers.", float(is_up))
    what = "1 while what is written is taken."
    facts: list[Metric] = [
        up,
        GaugeMetricFamily("greenroom_database_writable", what, float(state == "ok")),
    ]
    if is_up:
        # Each by itself: somebody may hold a lock on what one of them needs.
        for read in (_read_logs, _read_backlogs):
            facts += await _try_to_read(database, seconds / 2, read)
    return facts


async def _try_to_read(
    database: Database, seconds: float, read: Callable[[AsyncSession], Awaitable[list[Metric]]]
) -> list[Metric]:
    try:
        async with Patience(seconds), database.readiness.reading() as session:
            return await read(session)
    except (SQLAlchemyError, OSError, Unavailable):
        return []


async def _read_logs(session: AsyncSession) -> list[Metric]:
    """Read the head of every site's log."""
    length = _of_sites("greenroom_log_length", "Entries in the log of a site, as the database says.")
    last = _of_sites("greenroom_log_head", "The first 48 bits of the hash of a log's last entry.")
    query = select(Site.slug, LogHead).join(LogHead, col(LogHead.site_id) == Site.id)
    for slug, head in await session.exec(query):
        length.add_metric([slug], head.length)
        last.add_metric([slug], int.from_bytes(head.mac[:HEAD_BYTES], "big"))
    return [length, last]


async def _read_backlogs(session: AsyncSession) -> list[Metric]:
    """Read how much waits for the moderators of each site, and since when."""
    what = "Comments that wait for a decision."
    pending = _of_sites("greenroom_comments_pending", what)
    what = "When the oldest of them was submitted; absent where none waits."
    oldest = _of_sites("greenroom_oldest_pending_timestamp_seconds", what)
    connection = await session.connection()
    for slug, total, submitted_at in await connection.execute(_backlogs()):
        pending.add_metric([slug], total)
        if submitted_at:
            oldest.add_metric([slug], submitted_at.timestamp())
    return [pending, oldest]


def _of_sites(name: str, meaning: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, labels=["site"])


def _backlogs() -> Any:
    """Count nothing: a row of the counters for each site, and the first one in the index of its queue."""
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
