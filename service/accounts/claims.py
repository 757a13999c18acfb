"""Giving back what a moderator holds in the queue, who may not decide about it any more."""

from uuid import UUID

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from service.comments.tables import Comment


async def give_claims_back(
    session: AsyncSession, moderator_id: UUID, site_id: UUID | None = None
) -> None:
    """End the claims of a moderator, on one site or everywhere, so that nobody waits for their leases."""
    is_held = col(Comment.claimed_by) == moderator_id
    query = select(Comment.id).where(is_held).order_by(col(Comment.id))
    if site_id is not None:
        query = query.where(Comment.site_id == site_id)
    # Locked in the order in which decisions take theirs.
    ids = (await session.exec(query.with_for_update())).all()
    chosen = update(Comment).where(col(Comment.id).in_(ids), is_held)
    await session.exec(chosen.values(claimed_by=None, claimed_until=None))
