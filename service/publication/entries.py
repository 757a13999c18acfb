"""Finding what became visible last, for feeds: a walk along an index, of an article or of a whole site."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, literal_column, select
from sqlmodel import SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from service.comments.tables import PUBLISHED, Article, Comment
from service.publication.queries import IS_VISIBLE, SHOWN, THIS_ARTICLE

# Spelt as the indexes on it are.
_MOMENT = SQLModel.metadata.tables["comment"].c.submitted_at.type
_PUBLISHED = literal_column(PUBLISHED, _MOMENT).label("published")
_ENTRY: list[Any] = [*SHOWN, col(Comment.changed_at), _PUBLISHED]


@cache
def _feed_query() -> Select[Any]:
    """Give the article with each entry of its feed beside it, or with none; the shape is that of pages."""
    article_id = select(col(Article.id)).where(THIS_ARTICLE).scalar_subquery()
    column = col(Comment.article_id)
    entry = (
        select(*_ENTRY)
        .where(IS_VISIBLE, column >= article_id, column <= article_id)
        .order_by(column.desc(), _PUBLISHED.desc(), col(Comment.id).desc())
        .limit(bindparam("limit"))
        .subquery("entry")
    )
    changed_at: Any = col(Article.changed_at).label("article_changed_at")
    return (
        select(col(Article.revision), changed_at, entry)
        .select_from(Article)
        .outerjoin(entry, literal_column("true"))
        .where(THIS_ARTICLE)
        .order_by(entry.c.published.desc(), entry.c.id.desc())
    )


async def read_feed(
    session: AsyncSession, site_id: UUID, key: str, limit: int
) -> Sequence[Row[Any]]:
    """Read what of an article became visible last, the last first.

    As of a page, each row has the article's `revision` and `article_changed_at`, or one row has them
    alone.
    """
    values = {"site_id": site_id, "key": key, "limit": limit}
    rows: Sequence[Row[Any]] = (
        await (await session.connection()).execute(_feed_query(), values)
    ).all()
    return rows


_FEED_OF_SITE = (
    select(col(Article.key), col(Article.revision), *_ENTRY)
    .join(Article, col(Article.id) == col(Comment.article_id))
    .where(col(Comment.site_id) == bindparam("site_id"), IS_VISIBLE)
    .order_by(_PUBLISHED.desc(), col(Comment.id).desc())
    .limit(bindparam("limit"))
)
_LAST_CHANGE = (
    select(col(Article.changed_at))
    .where(col(Article.site_id) == bindparam("site_id"), col(Article.changed_at).is_not(None))
    .order_by(col(Article.changed_at).desc())
    .limit(1)
)


async def read_feed_of_site(
    session: AsyncSession, site_id: UUID, limit: int
) -> tuple[Sequence[Row[Any]], datetime | None]:
    """Read what of a site became visible last, each with `key` and `revision` of its article.

    Beside it is when anything of the site last changed in public.
    """
    connection = await session.connection()
    rows = (await connection.execute(_FEED_OF_SITE, {"site_id": site_id, "limit": limit})).all()
    return rows, await connection.scalar(_LAST_CHANGE, {"site_id": site_id})
