"""What the public sees of a thread, kept in the rows so that a page is one walk along an index."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from service.comments.rules import (
    LEAVES_TOMBSTONE,
    ThreadNode,
    Visibility,
    decide_visibility,
)
from service.comments.tables import Article, Comment

# SQLite takes at most 32,766 values in a statement; a part of that keeps statements short.
CHUNK = 500


async def refresh_thread(session: AsyncSession, comment: Comment) -> None:
    """Bring visibility, the article's count and its revision in line with a comment's new status.

    The caller holds the lock on the article's row, since two changes in one thread must not cross.
    """
    ancestors = await _ancestors(session, comment)
    is_passable = all(_is_passable(ancestor) for ancestor in ancestors)
    below = await _subtree(session, comment.id)
    nodes = [ThreadNode(row.id, row.parent_id, row.depth, row.status) for row in below]
    wanted = decide_visibility(nodes, root_is_passable=is_passable)
    changed = [row for row in below if wanted[row.id] != row.visibility]
    growth = sum((wanted[row.id] == "visible") - (row.visibility == "visible") for row in changed)
    for visibility in ("hidden", "visible", "tombstone"):
        ids = [row.id for row in changed if wanted[row.id] == visibility]
        await _set_visibility(session, ids, visibility)
    await _refresh_tombstones(session, ancestors, is_passable)
    if changed:
        await _bump_article(session, comment.article_id, growth)


def _is_passable(comment: Comment) -> bool:
    return comment.status == "approved" or comment.status in LEAVES_TOMBSTONE


async def _ancestors(session: AsyncSession, comment: Comment) -> list[Comment]:
    """Read what a comment answers to, the nearest first."""
    found: list[Comment] = []
    parent_id = comment.parent_id
    while parent_id is not None:
        parent = await session.get_one(Comment, parent_id, populate_existing=True)
        found.append(parent)
        parent_id = parent.parent_id
    return found


async def _subtree(session: AsyncSession, root_id: UUID) -> Sequence[Comment]:
    """Read a comment and all below it."""
    tree = select(Comment.id).where(Comment.id == root_id).cte("tree", recursive=True)
    tree = tree.union_all(select(Comment.id).where(col(Comment.parent_id) == tree.c.id))
    query = select(Comment).where(col(Comment.id).in_(select(tree.c.id)))
    return (await session.exec(query.execution_options(populate_existing=True))).all()


async def _set_visibility(session: AsyncSession, ids: list[UUID], visibility: Visibility) -> None:
    for start in range(0, len(ids), CHUNK):
        chosen = col(Comment.id).in_(ids[start : start + CHUNK])
        await session.exec(update(Comment).where(chosen).values(visibility=visibility))


async def _refresh_tombstones(
    session: AsyncSession, ancestors: list[Comment], is_passable: bool
) -> None:
    """Show or hide the tombstones above a changed comment, as far up as one changes."""
    for ancestor in ancestors:
        if not is_passable or ancestor.status not in LEAVES_TOMBSTONE:
            return
        replies = select(Comment.id).where(
            Comment.parent_id == ancestor.id, Comment.visibility != "hidden"
        )
        has_visible_replies = (await session.exec(replies.limit(1))).first() is not None
        wanted: Visibility = "tombstone" if has_visible_replies else "hidden"
        if ancestor.visibility == wanted:
            return
        await _set_visibility(session, [ancestor.id], wanted)


async def _bump_article(session: AsyncSession, article_id: UUID, growth: int) -> None:
    await session.exec(
        update(Article)
        .where(col(Article.id) == article_id)
        .values(visible=Article.visible + growth, revision=Article.revision + 1)
    )
