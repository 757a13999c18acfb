"""What a submission asks the database before it is stored: whether its place is open."""

from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from service.comments.tables import Article, Comment
from service.services import Services
from service.sites.directory import KnownSite


class Parent(msgspec.Struct, frozen=True):
    """The comment that a submission answers."""

    id: UUID
    depth: int


async def read_is_closed(services: Services, site_id: UUID, key: str) -> bool | None:
    """Tell whether an article is closed; None when there is no such article."""
    query = select(col(Article.is_closed)).where(col(Article.site_id) == site_id, col(Article.key) == key)
    async with services.looking_up() as session:
        return (await (await session.connection()).execute(query)).scalar()


async def read_parent(session: AsyncSession, site: KnownSite, article: str, parent_id: UUID) -> Parent | None:
    """Give a comment of an article that may be answered, if it is one."""
    query = (
        select(col(Comment.id), col(Comment.depth))
        .join(Article, col(Article.id) == col(Comment.article_id))
        .where(col(Article.site_id) == site.id, col(Article.key) == article)
        .where(col(Comment.id) == parent_id, col(Comment.visibility) == "visible")
        .where(col(Comment.depth) < site.policy.max_depth)
    )
    row = (await (await session.connection()).execute(query)).first()
    return Parent(*row) if row else None
