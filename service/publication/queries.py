"""Reading what is public."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.comments.tables import Article, Comment
from service.http.cursors import Position
from service.publication.avatars import avatar_path
from service.publication.schemas import PublicComment


async def find_article(session: AsyncSession, site_id: UUID, key: str) -> Article | None:
    """Give an article by its canonical key."""
    query = select(Article).where(Article.site_id == site_id, Article.key == key)
    return (await session.exec(query)).first()


async def read_page(
    session: AsyncSession, article_id: UUID, order: str, limit: int, after: Position | None
) -> Sequence[Comment]:
    """Read what is shown of an article after a position, one more than `limit` if there is more."""
    by_id = col(Comment.id).desc() if order == "newest" else col(Comment.id)
    query = select(Comment).where(Comment.article_id == article_id, Comment.visibility != "hidden")
    if after:
        is_next = Comment.id < after.id if order == "newest" else Comment.id > after.id
        query = query.where(is_next)
    return (await session.exec(query.order_by(by_id).limit(limit + 1))).all()


async def read_visible(session: AsyncSession, site_id: UUID, comment_id: UUID) -> Comment | None:
    """Read one visible comment of a site."""
    query = select(Comment).where(
        Comment.id == comment_id, Comment.site_id == site_id, Comment.visibility == "visible"
    )
    return (await session.exec(query)).first()


async def count_visible(
    session: AsyncSession, site_id: UUID, keys: Sequence[str]
) -> dict[str, int]:
    """Give the counters of articles by their canonical keys; those without comments are left out."""
    query = select(Article.key, Article.visible)
    chosen = query.where(Article.site_id == site_id, col(Article.key).in_(keys))
    return dict((await session.exec(chosen)).all())


def publish(comment: Comment) -> PublicComment:
    """Give a comment as the public sees it: the one serialiser, field by field."""
    is_visible = comment.visibility == "visible"
    return PublicComment(
        id=str(comment.id),
        parent=str(comment.parent_id) if comment.parent_id else None,
        name=comment.name if is_visible else None,
        url=comment.url if is_visible else None,
        avatar=avatar_path(comment.name) if is_visible else None,
        html=comment.html if is_visible else None,
        created_at=comment.submitted_at,
        edited=comment.edited,
        badge=comment.badge if is_visible else None,
    )
