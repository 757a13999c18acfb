"""What has to be tidied up regularly: keys and credentials whose time is over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, delete

from service.accounts.guards import IDLE, LONGEST
from service.accounts.tables import OneTimeLink, SignInSession
from service.logs import get_logger
from service.moderation.tables import DecisionKey
from service.services import Services
from service.submission.tables import IdempotencyKey

EVERY_SECONDS = 600.0
KEEP_KEYS = timedelta(hours=24)
_logger = get_logger(__name__)


async def tidy_up(services: Services) -> None:
    """Delete Idempotency-Keys after a day, and sessions and links that can no longer be used."""
    now = services.clock()
    too_old = (
        col(IdempotencyKey.created_at) < now - KEEP_KEYS,
        col(DecisionKey.created_at) < now - KEEP_KEYS,
        col(OneTimeLink.expires_at) < now,
        col(SignInSession.last_used_at) < now - IDLE,
        col(SignInSession.created_at) < now - LONGEST,
    )
    tables = (IdempotencyKey, DecisionKey, OneTimeLink, SignInSession, SignInSession)
    for table, condition in zip(tables, too_old, strict=True):
        async with services.writing() as session:
            await session.exec(delete(table).where(condition))


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
    while True:
        try:
            await tidy_up(services)
        except SQLAlchemyError as error:
            # The next round does what this one could not.
            _logger.warning("could not tidy up", error=type(error).__name__)
        await asyncio.sleep(EVERY_SECONDS)
