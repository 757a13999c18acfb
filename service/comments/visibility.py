"""What the public sees of a thread, kept in the rows so that a page is one walk along an index."""

from typing import Any, get_args
from uuid import UUID

from sqlalchemy import Select, select
from sqlmodel import col, update
from sqlmodel import select as select_one
from sqlmodel.ext.asyncio.session import AsyncSession

from service.changes import NEW_CHANGES, Change
from service.comments.rules import (
    LEAVES_TOMBSTONE,
    ThreadNode,
    Visibility,
    decide_visibility,
)
from service.comments.tables import Article, Comment

# SQLite takes at most 32,766 values in a statement; a part of that keeps statements short.
CHUNK = 500
# All that visibility depends on, and none of the texts.
_NODE = (
    col(Comment.id),
    col(Comment.parent_id),
    col(Comment.depth),
    col(Comment.status),
    col(Comment.visibility),
)


async def refresh_thread(session: AsyncSession, comment: Comment) -> None:
    """Bring visibility, the article's count and its revision in line with a comment's new status.

    The caller holds the lock on the article's row, since two changes in one thread must not cross.
    """
    ancestors = await _read_line(session, comment.parent_id) if comment.parent_id else []
    is_passable = all(_is_passable(ancestor) for ancestor in ancestors)
    below = await _read_subtree(session, comment.id)
    wanted = decide_visibility(below, root_is_passable=is_passable)
    changed = [node for node in below if wanted[node.id] != node.visibility]
    growth = sum((wanted[one.id] == "visible") - (one.visibility == "visible") for one in changed)
    for visibility in get_args(Visibility):
        ids = [node.id for node in changed if wanted[node.id] == visibility]
        await _set_visibility(session, ids, visibility)
    await _refresh_tombstones(session, ancestors, is_passable)
    if changed:
        await _bump_article(session, comment.article_id, growth)


def _is_passable(node: ThreadNode) -> bool:
    return node.status == "approved" or node.status in LEAVES_TOMBSTONE


async def _read_line(session: AsyncSession, start_id: UUID) -> list[ThreadNode]:
    """Read a comment and all that it answers to, the nearest first."""
    line = select(*_NODE).where(col(Comment.id) == start_id).cte("line", recursive=True)
    line = line.union_all(select(*_NODE).where(col(Comment.id) == line.c.parent_id))
    return await _read_nodes(session, select(line).order_by(line.c.depth.desc()))


async def _read_subtree(session: AsyncSession, root_id: UUID) -> list[ThreadNode]:
    """Read a comment and all below it."""
    tree = select(*_NODE).where(col(Comment.id) == root_id).cte("tree", recursive=True)
    tree = tree.union_all(select(*_NODE).where(col(Comment.parent_id) == tree.c.id))
    return await _read_nodes(session, select(tree))


async def _read_nodes(session: AsyncSession, query: Select[Any]) -> list[ThreadNode]:
    rows = await (await session.connection()).execute(query)
    return [ThreadNode(*row) for row in rows]


async def _set_visibility(session: AsyncSession, ids: list[UUID], visibility: Visibility) -> None:
    for start in range(0, len(ids), CHUNK):
        chosen = col(Comment.id).in_(ids[start : start + CHUNK])
        await session.exec(update(Comment).where(chosen).values(visibility=visibility))


async def _refresh_tombstones(
    session: AsyncSession, ancestors: list[ThreadNode], is_passable: bool
) -> None:
    """Show or hide the tombstones above a changed comment, as far up as one changes."""
    for ancestor in ancestors:
        if not is_passable or ancestor.status not in LEAVES_TOMBSTONE:
            return
        replies = select_one(Comment.id).where(
            Comment.parent_id == ancestor.id, Comment.visibility != "hidden"
        )
        has_visible_replies = (await session.exec(replies.limit(1))).first() is not None
        wanted: Visibility = "tombstone" if has_visible_replies else "hidden"
        if ancestor.visibility == wanted:
            return
        await _set_visibility(session, [ancestor.id], wanted)


async def _bump_article(session: AsyncSession, article_id: UUID, growth: int) -> None:
    """Raise the revision, and note for after the commit that the public sees something else."""
    bumped = await session.exec(
        update(Article)
        .where(col(Article.id) == article_id)
        .values(visible=Article.visible + growth, revision=Article.revision + 1)
        .returning(col(Article.site_id), col(Article.key))
    )
    session.info.setdefault(NEW_CHANGES, set()).add(Change(*bumped.one()))
