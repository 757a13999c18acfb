"""What has to be tidied up regularly: keys and credentials whose time is over, and the heads of the logs."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import SQLModel, col, delete

from service.accounts.guards import IDLE, LONGEST
from service.accounts.tables import OneTimeLink, SignInSession
from service.comments.rerendering import (
    find_changed,
    find_old,
    read_stored,
    render_again,
    write_renderings,
)
from service.concurrency.pacing import HELD_SECONDS, Pace, rest
from service.concurrency.tasks import running_beside
from service.database import table_of
from service.errors import Unavailable
from service.http.reading import KEEP_KEYS
from service.moderation.tables import DecisionKey
from service.modlog.heads import HeadsUnreadable, thin_file
from service.modlog.operations import find_proven
from service.modlog.rules import Head
from service.services import Services
from service.submission.tables import IdempotencyKey
from service.telemetry.outages import Outage

EVERY_SECONDS = 600.0
# SQLite has one write lock, for which submissions wait meanwhile.
BATCH = 500
# Comments that are rendered anew in the smallest piece, which is the first one, and in the largest.
LEAST_RENDERED, MOST_RENDERED = 20, 500
# What was changed within this time is looked at again: a process of an older version may have done it.
LOOK_BACK = timedelta(minutes=30)


async def tidy_up(services: Services) -> None:
    """Delete Idempotency-Keys after a day, and sessions and links that can no longer be used."""
    await services.database.cut_log()
    now = services.clock()
    for table, is_over in (
        (IdempotencyKey, col(IdempotencyKey.created_at) < now - KEEP_KEYS),
        (DecisionKey, col(DecisionKey.created_at) < now - KEEP_KEYS),
        (OneTimeLink, col(OneTimeLink.expires_at) < now),
        (SignInSession, col(SignInSession.last_used_at) < now - IDLE),
        (SignInSession, col(SignInSession.created_at) < now - LONGEST),
    ):
        while await _delete_some(services, table, is_over) == BATCH:
            await rest(HELD_SECONDS)
    await _thin_heads(services)
    await renew_markup(services)


async def renew_markup(services: Services) -> None:
    """Bring comments to the present markup, also those that an older version's process writes meanwhile."""
    pace = Pace(LEAST_RENDERED, MOST_RENDERED)
    while ids := await _find_old(services, pace.size):
        pace.adapt(await _render(services, ids))
        await rest(HELD_SECONDS)
    async with services.reading() as session:
        changed = await find_changed(session, services.clock() - LOOK_BACK)
    for start in range(0, len(changed), LEAST_RENDERED):
        await _render(services, changed[start : start + LEAST_RENDERED])


async def _find_old(services: Services, limit: int) -> list[UUID]:
    async with services.reading() as session:
        return await find_old(session, limit)


async def _render(services: Services, ids: Sequence[UUID]) -> float:
    """Render some comments anew, and tell how many seconds others could not write meanwhile."""
    async with services.reading() as session:
        stored = await session.run_sync(lambda sync: read_stored(sync.connection(), ids))
    # The longest text takes longer than others should wait for.
    renderings = await asyncio.to_thread(render_again, stored)
    if not renderings:
        return 0.0
    started = time.monotonic()
    await services.change(None, write_renderings, renderings)
    return time.monotonic() - started


async def _delete_some(services: Services, table: type[SQLModel], is_over: ColumnElement[bool]) -> int:
    """Delete a batch of rows in a transaction of its own, and tell how many there were."""
    keys = table_of(table).primary_key.columns
    chosen = select(*keys).where(is_over).limit(BATCH)
    async with services.writing() as session:
        deleted = await session.exec(delete(table).where(tuple_(*keys).in_(chosen)))
        return deleted.rowcount


async def _thin_heads(services: Services) -> None:
    """Shorten the files of remembered heads that have become long."""
    for site_id, path in services.log_heads.list_files().items():

        async def find(heads: Sequence[Head], site_id: UUID = site_id) -> frozenset[Head]:
            async with services.reading() as session:
                return await find_proven(session, site_id, heads)

        await thin_file(path, find)


def keep_house(services: Services) -> AbstractAsyncContextManager[None]:
    """Tidy up every ten minutes for as long as the block lasts."""
    return running_beside(_keep_tidying(services))


async def _keep_tidying(services: Services) -> None:
    outage = Outage("What tidying up needs", "what is over stays until the next round")
    while True:
        try:
            await tidy_up(services)
            outage.over()
        except (SQLAlchemyError, Unavailable, OSError, HeadsUnreadable) as error:
            # The next round does what this one could not.
            outage.note(error)
        await asyncio.sleep(EVERY_SECONDS)
