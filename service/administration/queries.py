"""Reading sites and their members."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.schemas import Member, ModeratorRef
from service.accounts.tables import Membership, Moderator
from service.sites.directory import KnownSite, complete_sites
from service.sites.tables import Site


async def read_sites(
    session: AsyncSession, wanted: Sequence[UUID] | None, after: UUID | None, limit: int | None
) -> list[KnownSite]:
    """Read sites by slug, at most `limit` of those that follow `after`; None wants every site."""
    query = select(Site).order_by(col(Site.slug)).limit(limit)
    if wanted is not None:
        query = query.where(col(Site.id).in_(wanted))
    if after:
        last = select(Site.slug).where(Site.id == after).scalar_subquery()
        query = query.where(col(Site.slug) > last)
    return await complete_sites(session, (await session.exec(query)).all())


async def read_members(
    session: AsyncSession, site_id: UUID, only: UUID | None = None
) -> list[Member]:
    """Read the moderators of a site, by name, or `only` one of them."""
    query = (
        select(Membership, Moderator.name)
        .join(Moderator, col(Moderator.id) == col(Membership.moderator_id))
        .where(Membership.site_id == site_id)
        .order_by(func.lower(Moderator.name), col(Moderator.id))
    )
    if only:
        query = query.where(Membership.moderator_id == only)
    return [
        Member(ModeratorRef(str(row.moderator_id), name), row.role, row.created_at)
        for row, name in await session.exec(query)
    ]
