"""What the public sees of a thread, kept in the rows so that a page is one walk along an index."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Connection, Select, bindparam, case, select, update
from sqlmodel import col

from service.changes import Change
from service.comments.rules import (
    LEAVES_TOMBSTONE,
    LockedComment,
    Node,
    ThreadNode,
    Visibility,
    decide_visibility,
    lets_through,
)
from service.comments.tables import Article, Comment
from service.database import table_of
from service.work import Work

_COMMENT = table_of(Comment)
# All that visibility depends on, and none of the texts.
_NODE = [_COMMENT.c[name] for name in ThreadNode.__struct_fields__]
_START = select(*_NODE).where(_COMMENT.c.id.in_(bindparam("start", expanding=True)))


def _walk_up() -> Select[Any]:
    line = _START.cte("line", recursive=True)
    return select(line.union(select(*_NODE).where(_COMMENT.c.id == line.c.parent_id)))


def _walk_down() -> Select[Any]:
    tree = _START.cte("tree", recursive=True)
    return select(tree.union(select(*_NODE).where(_COMMENT.c.parent_id == tree.c.id)))


# That of the comment's article, for a comment that is changed in public after its article was bumped.
_ITS_ARTICLE = col(Article.id) == _COMMENT.c.article_id
_PRESENT_CHANGE = select(col(Article.changed_at)).where(_ITS_ARTICLE).scalar_subquery()
SEEN_NOW = {
    "public_revision": select(col(Article.revision)).where(_ITS_ARTICLE).scalar_subquery(),
    "changed_at": _PRESENT_CHANGE,
}
# Some comments with all that they answer to, and some with all below them.
_LINES, _TREES = _walk_up(), _walk_down()


def refresh_threads(work: Work, comments: Sequence[LockedComment]) -> None:
    """Bring visibility, counts and revisions of articles in line with the new status of comments.

    The caller holds the locks on the articles' rows, since two changes in one thread must not cross.
    """
    connection = work.connection
    parents = {comment.parent_id for comment in comments if comment.parent_id}
    above = _read_nodes(connection, _LINES, parents) if parents else {}
    below: Mapping[UUID, Node] = {comment.id: comment for comment in comments}
    if any(comment.has_replies for comment in comments):
        below = _read_nodes(connection, _TREES, below)
    wanted = decide_visibility({**above, **below}.values())
    changed = [node for node in below.values() if wanted[node.id] != node.visibility]
    growth: Counter[UUID] = Counter()
    for node in changed:
        step = (wanted[node.id] == "visible") - (node.visibility == "visible")
        growth[cast(UUID, node.article_id)] += step
    # First, since the comments take note of the new revision.
    for article_id in sorted(growth):
        bump_article(work, article_id, growth[article_id])
    _set_visibility(connection, {node.id: wanted[node.id] for node in changed})
    for parent_id in sorted(parents - below.keys()):
        _refresh_tombstones(connection, list(_walk_line(above, parent_id)))


def _read_nodes(connection: Connection, query: Select[Any], start: Collection[UUID]) -> dict[UUID, Node]:
    rows = connection.execute(query, {"start": list(start)})
    return {row.id: ThreadNode(*row) for row in rows}


def _walk_line(nodes: Mapping[UUID, Node], start_id: UUID | None) -> Iterator[Node]:
    """Give a comment and all that it answers to, the nearest first."""
    while start_id:
        yield nodes[start_id]
        start_id = nodes[start_id].parent_id


_SEEN_AS = bindparam("seen_as", type_=_COMMENT.c.visibility.type)
_SEE = (
    update(_COMMENT)
    .where(_COMMENT.c.id == bindparam("node"))
    .values(
        **SEEN_NOW,
        visibility=_SEEN_AS,
        published_at=case((_SEEN_AS == "visible", _PRESENT_CHANGE), else_=_COMMENT.c.published_at),
    )
)


def _set_visibility(connection: Connection, wanted: Mapping[UUID, Visibility]) -> None:
    if wanted:
        connection.execute(_SEE, [{"node": one, "seen_as": seen} for one, seen in wanted.items()])


def _refresh_tombstones(connection: Connection, ancestors: Sequence[Node]) -> None:
    """Show or hide the tombstones above a changed comment, as far up as one changes."""
    is_passable = all(lets_through(ancestor.status) for ancestor in ancestors)
    for ancestor in ancestors:
        if not is_passable or ancestor.status not in LEAVES_TOMBSTONE:
            return
        replies = select(_COMMENT.c.id).where(
            _COMMENT.c.parent_id == ancestor.id, _COMMENT.c.visibility != "hidden"
        )
        has_visible_replies = connection.execute(replies.limit(1)).first() is not None
        wanted: Visibility = "tombstone" if has_visible_replies else "hidden"
        if ancestor.visibility == wanted:
            return
        _set_visibility(connection, {ancestor.id: wanted})


def bump_article(work: Work, article_id: UUID, growth: int = 0) -> None:
    """Raise the revision, and note for after the commit that the public sees something else.

    `growth` is by how many the visible comments become more.
    """
    values = {"article": article_id, "growth": growth, "now": work.now}
    work.public.add(Change(*work.connection.execute(_BUMP, values).one()))


_BUMP = (
    update(Article)
    .where(col(Article.id) == bindparam("article"))
    .values(
        visible=col(Article.visible) + bindparam("growth"),
        revision=col(Article.revision) + 1,
        changed_at=bindparam("now"),
    )
    .returning(col(Article.site_id), col(Article.key))
)
