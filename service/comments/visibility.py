"""What the public sees of a thread, kept in the rows so that a page is one walk along an index."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, get_args
from uuid import UUID

import msgspec
from sqlalchemy import Select, bindparam, select
from sqlmodel import SQLModel, col, update
from sqlmodel import select as select_one
from sqlmodel.ext.asyncio.session import AsyncSession

from service.changes import Change
from service.comments.rules import (
    LEAVES_TOMBSTONE,
    LockedComment,
    ThreadNode,
    Visibility,
    decide_visibility,
    lets_through,
)
from service.comments.tables import Article, Comment
from service.work import Work

# SQLite takes at most 32,766 values in a statement; a part of that keeps statements short.
CHUNK = 500
_COMMENT = SQLModel.metadata.tables["comment"]
# All that visibility depends on, and none of the texts; the article is told beside it.
_NODE = [_COMMENT.c[name] for name in (*ThreadNode.__struct_fields__, "article_id")]
_START = select(*_NODE).where(_COMMENT.c.id.in_(bindparam("start", expanding=True)))


def _walk_up() -> Select[Any]:
    line = _START.cte("line", recursive=True)
    return select(line.union(select(*_NODE).where(_COMMENT.c.id == line.c.parent_id)))


def _walk_down() -> Select[Any]:
    tree = _START.cte("tree", recursive=True)
    return select(tree.union(select(*_NODE).where(_COMMENT.c.parent_id == tree.c.id)))


# That of the comment's article, for a comment that is changed in public after its article was bumped.
_ITS_ARTICLE = col(Article.id) == _COMMENT.c.article_id
PRESENT_REVISION = select(col(Article.revision)).where(_ITS_ARTICLE).scalar_subquery()
PRESENT_CHANGE = select(col(Article.changed_at)).where(_ITS_ARTICLE).scalar_subquery()
# Some comments with all that they answer to, and some with all below them.
_LINES, _TREES = _walk_up(), _walk_down()


class Threads(msgspec.Struct, frozen=True):
    """Parts of threads: nodes by their ids, and the article of each."""

    nodes: dict[UUID, ThreadNode]
    articles: dict[UUID, UUID]

    def line(self, start_id: UUID | None) -> list[ThreadNode]:
        """Give a comment and all that it answers to, the nearest first."""
        line: list[ThreadNode] = []
        while start_id:
            line.append(self.nodes[start_id])
            start_id = line[-1].parent_id
        return line


async def refresh_threads(work: Work, comments: Sequence[LockedComment]) -> None:
    """Bring visibility, counts and revisions of articles in line with the new status of comments.

    The caller holds the locks on the articles' rows, since two changes in one thread must not cross.
    """
    if not comments:
        return
    session = work.session
    parents = {comment.parent_id for comment in comments if comment.parent_id}
    above = await _read_threads(session, _LINES, parents)
    below = await _read_threads(session, _TREES, {comment.id for comment in comments})
    wanted = decide_visibility({**above.nodes, **below.nodes}.values())
    changed = [node for node in below.nodes.values() if wanted[node.id] != node.visibility]
    growth: Counter[UUID] = Counter()
    for node in changed:
        step = (wanted[node.id] == "visible") - (node.visibility == "visible")
        growth[below.articles[node.id]] += step
    # First, since the comments take note of the new revision.
    for article_id in sorted(growth):
        await bump_article(work, article_id, growth[article_id])
    for visibility in get_args(Visibility):
        ids = [node.id for node in changed if wanted[node.id] == visibility]
        await _set_visibility(session, ids, visibility)
    for parent_id in sorted(parents - below.nodes.keys()):
        await _refresh_tombstones(session, above.line(parent_id))


async def _read_threads(
    session: AsyncSession, query: Select[Any], start: Collection[UUID]
) -> Threads:
    if not start:
        return Threads({}, {})
    rows = (await (await session.connection()).execute(query, {"start": list(start)})).all()
    nodes = {row.id: ThreadNode(*row[:-1]) for row in rows}
    return Threads(nodes, {row.id: row.article_id for row in rows})


async def _set_visibility(session: AsyncSession, ids: list[UUID], visibility: Visibility) -> None:
    values = {
        "visibility": visibility,
        "public_revision": PRESENT_REVISION,
        "changed_at": PRESENT_CHANGE,
        **({"published_at": PRESENT_CHANGE} if visibility == "visible" else {}),
    }
    for start in range(0, len(ids), CHUNK):
        chosen = _COMMENT.c.id.in_(ids[start : start + CHUNK])
        await (await session.connection()).execute(update(_COMMENT).where(chosen).values(values))


async def _refresh_tombstones(session: AsyncSession, ancestors: Sequence[ThreadNode]) -> None:
    """Show or hide the tombstones above a changed comment, as far up as one changes."""
    is_passable = all(lets_through(ancestor.status) for ancestor in ancestors)
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


async def bump_article(work: Work, article_id: UUID, growth: int = 0) -> None:
    """Raise the revision, and note for after the commit that the public sees something else.

    `growth` is by how many the visible comments become more.
    """
    bumped = await work.session.exec(
        update(Article)
        .where(col(Article.id) == article_id)
        .values(
            visible=Article.visible + growth, revision=Article.revision + 1, changed_at=work.now
        )
        .returning(col(Article.site_id), col(Article.key))
    )
    work.public.add(Change(*bumped.one()))
