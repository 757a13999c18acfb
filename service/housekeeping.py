"""What has to be tidied up regularly: keys and credentials whose time is over, and the heads of the logs."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import SQLModel, col, delete

from service.accounts.guards import IDLE, LONGEST
from service.accounts.tables import OneTimeLink, SignInSession
from service.errors import Unavailable
from service.http.reading import KEEP_KEYS
from service.moderation.tables import DecisionKey
from service.modlog.heads import HeadsUnreadable
from service.modlog.operations import find_proven
from service.modlog.rules import Head
from service.modlog.thinning import thin_file
from service.pacing import HELD_SECONDS, rest
from service.services import Services
from service.submission.tables import IdempotencyKey
from service.telemetry.outages import Outage

EVERY_SECONDS = 600.0
# SQLite has one write lock, for which submissions wait meanwhile.
BATCH = 500


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


async def _delete_some(
    services: Services, table: type[SQLModel], is_over: ColumnElement[bool]
) -> int:
    """Delete a batch of rows in a transaction of its own, and tell how many there were."""
    keys = SQLModel.metadata.tables[str(table.__tablename__)].primary_key.columns
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


@asynccontextmanager
async def keep_house(services: Services) -> AsyncIterator[None]:
    """Tidy up every ten minutes for as long as the block lasts."""
    task = asyncio.create_task(_keep_tidying(services))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


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
