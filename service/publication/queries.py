"""Reading what is public, by statements over columns: rows of the ORM cost three times as much."""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Executable,
    Row,
    Select,
    Uuid,
    and_,
    bindparam,
    literal_column,
    select,
    tuple_,
)
from sqlmodel import col
from sqlmodel import select as select_rows
from sqlmodel.ext.asyncio.session import AsyncSession

from service.changes import WHOLE_SITE
from service.comments.tables import Article, Comment
from service.http.cursors import Position
from service.modlog.tables import LogHead
from service.publication.avatars import avatar_path
from service.publication.schemas import PublicComment
from service.sites.directory import KnownSite, complete_sites
from service.sites.tables import Site

# An article by its site and key.
ArticleRef = tuple[UUID, str]
SHOWN: list[Any] = [
    col(Comment.id),
    col(Comment.parent_id),
    col(Comment.depth),
    col(Comment.visibility),
    col(Comment.name),
    col(Comment.url),
    col(Comment.html),
    col(Comment.submitted_at),
    col(Comment.edited),
    col(Comment.badge),
]
_WITH_ARTICLE: list[Any] = [col(Article.key), col(Article.revision), *SHOWN]
# Written out, since only so PostgreSQL knows that the partial index holds all that is asked for.
_IS_SHOWN = col(Comment.visibility) != literal_column("'hidden'")
IS_VISIBLE = col(Comment.visibility) == literal_column("'visible'")
# No comment has one of these ids; a walk that begins at the beginning begins there.
ENDS = {"oldest": UUID(int=0), "newest": UUID(int=(1 << 128) - 1)}
THIS_ARTICLE = and_(col(Article.site_id) == bindparam("site_id"), col(Article.key) == bindparam("key"))


async def fetch(session: AsyncSession, query: Executable, **values: object) -> Sequence[Row[Any]]:
    """Give the rows of a statement over columns."""
    rows: Sequence[Row[Any]] = (await (await session.connection()).execute(query, values)).all()
    return rows


@cache
def _page_query(order: str) -> Select[Any]:
    """Give the article with each comment of a page beside it, or with none; one walk along the index.

    A single step back along it tells whether anything `is_behind` the position, or on it.

    The limit stands inside, because no planner knows that there is one article. Article and id are compared
    and ordered as a pair, as they stand in the index: asked for one article in the order of ids, PostgreSQL
    would at times read all of the article and sort it.
    """
    newest = order == "newest"
    article_id = select(col(Article.id)).where(THIS_ARTICLE).correlate(None).scalar_subquery()
    place: Any = tuple_(col(Comment.article_id), col(Comment.id))
    start: Any = tuple_(article_id, bindparam("after", type_=Uuid()))
    columns = (col(Comment.article_id), col(Comment.id))
    up, down = [column.asc() for column in columns], [column.desc() for column in columns]
    # The pairs go on with the next article.
    above = (_IS_SHOWN, columns[0] <= article_id)
    below = (_IS_SHOWN, columns[0] >= article_id)
    if newest:
        page = select(*SHOWN).where(*below, place < start).order_by(*down)
        behind = select(col(Comment.id)).where(*above, place >= start).order_by(*up)
    else:
        page = select(*SHOWN).where(*above, place > start).order_by(*up)
        behind = select(col(Comment.id)).where(*below, place <= start).order_by(*down)
    shown = page.limit(bindparam("limit")).subquery("shown")
    # In an EXISTS PostgreSQL would forget the order, and may then read all of the table.
    is_behind = behind.limit(1).scalar_subquery().is_not(None).label("is_behind")
    article = (col(Article.revision), col(Article.visible), col(Article.is_closed))
    return (
        select(*article, is_behind, shown)
        .select_from(Article)
        .outerjoin(shown, literal_column("true"))
        .where(THIS_ARTICLE)
        .order_by(shown.c.id.desc() if newest else shown.c.id)
    )


async def read_page(
    session: AsyncSession,
    site_id: UUID,
    key: str,
    order: str,
    limit: int,
    after: Position | None,
) -> Sequence[Row[Any]]:
    """Read what is shown of an article after a position, one more than `limit` if there is more.

    Each row has the article's `revision`, `visible` and `is_closed`, whether anything `is_behind`, and then
    a comment's columns, or one row has nulls there. Of an unknown article there is no row.
    """
    start = after.id if after is not None else ENDS[order]
    query = _page_query(order)
    return await fetch(session, query, site_id=site_id, key=key, limit=limit + 1, after=start)


_ONE = (
    select(*_WITH_ARTICLE)
    .join(Article, col(Article.id) == col(Comment.article_id))
    .where(
        col(Comment.id) == bindparam("comment_id"),
        col(Comment.site_id) == bindparam("site_id"),
        _IS_SHOWN,
    )
)


async def read_shown(session: AsyncSession, site_id: UUID, comment_id: UUID) -> Row[Any] | None:
    """Read a comment or tombstone of a site, with `key` and `revision` of its article before its columns."""
    rows = await fetch(session, _ONE, site_id=site_id, comment_id=comment_id)
    return rows[0] if rows else None


async def read_visible(session: AsyncSession, site_id: UUID, comment_id: UUID) -> Row[Any] | None:
    """Read as `read_shown` does, but no tombstone."""
    row = await read_shown(session, site_id, comment_id)
    return row if row is not None and row.visibility == "visible" else None


_NAMES = select(col(Comment.id), col(Comment.name)).where(
    col(Comment.id).in_(bindparam("ids", expanding=True)),
    col(Comment.site_id) == bindparam("site_id"),
    IS_VISIBLE,
)


async def read_names(session: AsyncSession, site_id: UUID, ids: Collection[UUID]) -> dict[UUID, str]:
    """Give the names on comments of a site, by id; what is not visible is left out."""
    rows = await fetch(session, _NAMES, site_id=site_id, ids=list(ids)) if ids else ()
    return {row.id: row.name for row in rows}


@cache
def _changes_query() -> Select[Any]:
    """Give the article with each comment beside it that the public came to see otherwise after a place.

    A place is a revision and an id, so that a revision in which very many changed can be read in parts.
    """
    article_id = select(col(Article.id)).where(THIS_ARTICLE).scalar_subquery()
    place: Any = tuple_(col(Comment.public_revision), col(Comment.id))
    start: Any = tuple_(bindparam("revision"), bindparam("after", type_=Uuid()))
    changed = (
        select(*SHOWN, col(Comment.public_revision))
        .where(
            col(Comment.article_id) == article_id,
            # Written out, for the planners to know that the partial index holds all that is asked for.
            col(Comment.public_revision) > literal_column("0"),
            place > start,
        )
        .order_by(col(Comment.public_revision), col(Comment.id))
        .limit(bindparam("limit"))
        .subquery("changed")
    )
    return (
        select(col(Article.revision), changed)
        .select_from(Article)
        .outerjoin(changed, literal_column("true"))
        .where(THIS_ARTICLE)
        .order_by(changed.c.public_revision, changed.c.id)
    )


async def read_changes(
    session: AsyncSession, site_id: UUID, key: str, revision: int, after: UUID, limit: int
) -> Sequence[Row[Any]]:
    """Read what the public came to see otherwise of an article after a place, in the order in which it did.

    As with `read_page`, each row has the article's `revision`, or one row has it alone.
    """
    place = {"revision": revision, "after": after}
    return await fetch(session, _changes_query(), site_id=site_id, key=key, limit=limit, **place)


# SQLite takes at most 32,766 values in a statement; a part of that keeps statements short.
CHUNK = 500
_COUNTS = select(col(Article.site_id), col(Article.key), col(Article.revision), col(Article.visible)).where(
    # One by one: for pairs SQLite would at times look at every article there is.
    col(Article.site_id).in_(bindparam("sites", expanding=True)),
    col(Article.key).in_(bindparam("keys", expanding=True)),
)
_LENGTHS = select(col(LogHead.site_id), col(LogHead.length)).where(
    col(LogHead.site_id).in_(bindparam("sites", expanding=True))
)


async def read_counts(
    session: AsyncSession, articles: Collection[ArticleRef]
) -> dict[ArticleRef, tuple[int, int]]:
    """Give revision and count of each article, by site and key; those that are not there are left out.

    For WHOLE_SITE it is the length of the site's log, and no count. There may be others in it, of the
    same key on another site.
    """
    wanted = list(articles)
    found: dict[ArticleRef, tuple[int, int]] = {}
    for start in range(0, len(wanted), CHUNK):
        sites, keys = zip(*wanted[start : start + CHUNK], strict=True)
        rows = await fetch(session, _COUNTS, sites={*sites}, keys={*keys})
        found |= {(row.site_id, row.key): (row.revision, row.visible) for row in rows}
    if whole := {site_id for site_id, key in wanted if key == WHOLE_SITE}:
        lengths = await fetch(session, _LENGTHS, sites=whole)
        found |= {(row.site_id, WHOLE_SITE): (row.length, 0) for row in lengths}
    return found


async def read_sites(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, KnownSite]:
    """Give sites as they are now, by id."""
    query = select_rows(Site).where(col(Site.id).in_(ids))
    rows = (await session.exec(query)).all()
    return {site.id: site for site in await complete_sites(session, rows)}


def publish(comment: Row[Any]) -> PublicComment:
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
