"""Giving back what a moderator holds in the queue, who may not decide about it any more."""

from uuid import UUID

from sqlalchemy import DateTime, Uuid, column, select, table, update
from sqlmodel.ext.asyncio.session import AsyncSession

# By its name: what a comment is lies above this module.
_COMMENT = table(
    "comment",
    column("id", Uuid()),
    column("site_id", Uuid()),
    column("claimed_by", Uuid()),
    column("claimed_until", DateTime(timezone=True)),
)


async def give_claims_back(
    session: AsyncSession, moderator_id: UUID, site_id: UUID | None = None
) -> None:
    """End the claims of a moderator, on one site or everywhere, so that nobody waits for their leases."""
    held = _COMMENT.c.claimed_by == moderator_id
    query = select(_COMMENT.c.id).where(held).order_by(_COMMENT.c.id)
    if site_id is not None:
        query = query.where(_COMMENT.c.site_id == site_id)
    connection = await session.connection()
    # Locked in the order in which decisions take theirs.
    ids = (await connection.execute(query.with_for_update())).scalars().all()
    chosen = update(_COMMENT).where(_COMMENT.c.id.in_(ids), held)
    await connection.execute(chosen.values(claimed_by=None, claimed_until=None))
