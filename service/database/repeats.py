"""What may be there only once: of those who want it at one moment one gets it, and the others are told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession


@asynccontextmanager
async def only_once(session: AsyncSession, refusal: Exception) -> AsyncIterator[None]:
    """Write what is added in the block; raises the refusal where somebody else was first."""
    try:
        yield
        # Here, so that it is known what was not unique.
        await session.flush()
    except IntegrityError as error:
        if is_unique_violation(error):
            raise refusal from None
        raise


def is_unique_violation(error: IntegrityError) -> bool:
    """Tell a lost race from a row that could never be stored, on either database."""
    return getattr(error.orig, "sqlstate", "") == "23505" or getattr(
        error.orig, "sqlite_errorname", ""
    ) in {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}
