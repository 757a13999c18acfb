"""Finding the comments of the queue: walks along indexes, each as far as one page, and then merged.

Comments and the edits that wait are different walks. One over edits begins at the edits, so it costs by
their number, whatever the number of comments is.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Float, Select, and_, literal_column, or_, select, true, union_all
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from service.comments.tables import Article, Comment, ProposedEdit
from service.http.cursors import Position
from service.moderation.schemas import ListQueue
from service.text.folding import fold

# Beyond this many sites one walk over the installation's queue is cheaper than one walk per site.
MAX_WALKS = 50
# Comments without a risk come after those with one.
NO_RISK = -1.0


class Slice(msgspec.Struct, frozen=True):
    """A part of the queue that one walk goes through, as conditions on comments and on edits."""

    comments: Any
    edits: Any
    # What the comment of an edit has to fulfil besides.
    edited: tuple[Any, ...] = ()


async def find_queued(
    session: AsyncSession,
    sites: Sequence[UUID] | None,
    article: str | None,
    wanted: ListQueue,
    after: Position | None,
) -> list[UUID]:
    """Give the ids of the page that starts after a position, and of one more if there is more.

    `sites` of None is every site. What is pending includes the comments whose edit waits.
    """
    if article is not None:
        slices = [await _find_article(session, sites, article)]
    elif sites is None:
        slices = [Slice(true(), true())]
    elif len(sites) > MAX_WALKS:
        slices = [Slice(col(Comment.site_id).in_(sites), col(ProposedEdit.site_id).in_(sites))]
    else:
        slices = [Slice(Comment.site_id == one, ProposedEdit.site_id == one) for one in sites]
    walks = [_walk_comments(slice_, wanted, after) for slice_ in slices]
    if wanted.status == "pending":
        walks += [_walk_edits(slice_, wanted, after) for slice_ in slices]
    return await _merge(session, walks, wanted)


async def _find_article(session: AsyncSession, sites: Sequence[UUID] | None, key: str) -> Slice:
    """Look the articles up first, so that a walk goes along their index and not along the site's."""
    query = select(col(Article.id), col(Article.site_id)).where(col(Article.key) == key)
    if sites is not None:
        query = query.where(col(Article.site_id).in_(sites))
    found = (await (await session.connection()).execute(query)).all()
    is_under_it = col(Comment.article_id).in_([row.id for row in found])
    return Slice(is_under_it, col(ProposedEdit.site_id).in_([row.site_id for row in found]), (is_under_it,))


def _walk_comments(slice_: Slice, wanted: ListQueue, after: Position | None) -> Select[Any]:
    comment_id, rank = col(Comment.id), rank_by_risk()
    query = select(comment_id).where(slice_.comments, col(Comment.status) == wanted.status)
    if wanted.q:
        query = query.where(_holds(Comment, wanted.q, Comment.text, Comment.name))
    if after:
        query = query.where(_comes_after(after, comment_id, rank))
    return query.order_by(*_order(wanted.order, comment_id, rank)).limit(wanted.limit + 1)


def _walk_edits(slice_: Slice, wanted: ListQueue, after: Position | None) -> Select[Any]:
    """Walk edits, and look at their comments one by one and only where something of them is asked for."""
    comment_id = col(ProposedEdit.comment_id)
    is_theirs = col(Comment.id) == comment_id
    rank = select(rank_by_risk()).select_from(Comment).where(is_theirs).scalar_subquery()
    query: Select[Any] = select(comment_id.label("id")).where(slice_.edits)
    asked = list(slice_.edited)
    if wanted.q:
        of_comment = _holds(Comment, wanted.q, Comment.text, Comment.name)
        asked.append(or_(of_comment, _holds(ProposedEdit, wanted.q, ProposedEdit.text)))
    if asked:
        query = query.where(select(col(Comment.id)).where(is_theirs, *asked).exists())
    if after:
        query = query.where(_comes_after(after, comment_id, rank))
    return query.order_by(*_order(wanted.order, comment_id, rank)).limit(wanted.limit + 1)


async def _merge(session: AsyncSession, walks: Sequence[Select[Any]], wanted: ListQueue) -> list[UUID]:
    """Take the first of all walks, each comment once: one that went back to the queue may be in two."""
    if not walks:
        return []
    query = walks[0]
    if len(walks) > 1:
        together = union_all(*(select(walk.subquery().c.id) for walk in walks)).subquery()
        by_place = _order(wanted.order, col(Comment.id), rank_by_risk())
        chosen = col(Comment.id).in_(select(together.c.id))
        query = select(col(Comment.id)).where(chosen).order_by(*by_place).limit(wanted.limit + 1)
    return list((await (await session.connection()).execute(query)).scalars())


def _holds(table: type[Comment | ProposedEdit], words: str, *columns: Any) -> Any:
    """Look in what a row is found by; where an older process wrote that, in the columns as they are."""
    search = col(table.search)
    as_they_are = [col(column).icontains(words, autoescape=True) for column in columns]
    is_found = search.contains(fold(words), autoescape=True)
    return or_(is_found, and_(search.is_(None), or_(*as_they_are)))


def rank_by_risk() -> Any:
    """Give what `order=risk` sorts by, spelt as the index on it is."""
    return literal_column("coalesce(comment.risk, -1.0)", Float())


def _comes_after(after: Position, comment_id: Any, rank: Any) -> Any:
    if after.order == "newest":
        return comment_id < after.id
    if after.order == "oldest":
        return comment_id > after.id
    return or_(rank < after.rank, and_(rank == after.rank, comment_id > after.id))


def _order(order: str, comment_id: Any, rank: Any) -> list[Any]:
    by_id = comment_id.desc() if order == "newest" else comment_id
    return [rank.desc(), by_id] if order == "risk" else [by_id]
