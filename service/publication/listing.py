"""A part of an article's comments: from the beginning, from where another part ends, or round one comment."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row
from sqlmodel.ext.asyncio.session import AsyncSession

from service.clock import parse_id
from service.errors import FieldError, NotFound
from service.http.cursors import BACK, Position, read_cursor
from service.http.faults import Faults
from service.http.fields import REQUIRED
from service.publication.queries import ENDS, read_page, read_shown
from service.publication.schemas import ListComments
from service.sites.directory import KnownSite

NO_COMMENT = "There is no visible comment of this id on this site."
_OTHER_WAY = {"oldest": "newest", "newest": "oldest"}


class Window(msgspec.Struct, frozen=True):
    """What a query asks for: an article by its canonical key, from a position on, or round a comment.

    The key may be None beside `around`.
    """

    key: str | None
    start: Position | None = None
    around: UUID | None = None


class Listing(msgspec.Struct, frozen=True):
    """Comments as rows, in the order asked for, and where to go on from them in both directions.

    Of an article that is not there `revision` and `is_closed` are None.
    """

    key: str
    rows: Sequence[Row[Any]]
    previous: Position | None
    next: Position | None
    revision: int | None
    visible: int
    is_closed: bool | None


def read_article(site: KnownSite, raw: str | None, faults: Faults) -> str | None:
    """Give the canonical key of the article that a query asks for."""
    return faults.check(site.article_key, raw, parameter="article")


def read_window(site: KnownSite, wanted: ListComments, faults: Faults) -> Window:
    """Give the window that a query asks for."""
    key = read_article(site, wanted.article, faults)
    if wanted.around is None:
        start = read_cursor(wanted.cursor, wanted.order, faults, both_ways=True)
        if wanted.article is None and "around" not in faults:
            faults.add([FieldError("article_required", REQUIRED, parameter="article")])
        return Window(key, start)
    if wanted.cursor is not None:
        detail = "A cursor leads on from a page, so nothing can be round it: leave one of both out."
        faults.add([FieldError("cursor_not_allowed", detail, parameter="cursor")])
    # What is no id is looked for as one that no comment has, so that it is refused as any other.
    return Window(key, around=parse_id(wanted.around) or ENDS["oldest"])


async def read_listing(session: AsyncSession, site_id: UUID, wanted: ListComments, window: Window) -> Listing:
    """Read what is shown in a window, `limit` comments at most; raises NotFound for what is not there."""
    order, limit, start = wanted.order, wanted.limit, window.start
    if window.around is not None:
        return await _read_around(session, site_id, window.key, window.around, order, limit)
    key, goes_back = window.key or "", start is not None and start.goes_back
    way = _OTHER_WAY[order] if goes_back else order
    found = await read_page(session, site_id, key, way, limit, start)
    comments = _comments_in(found)
    rows, more = comments[:limit], len(comments) > limit
    behind = bool(found and found[0].is_behind)
    if goes_back:
        rows.reverse()
        return _list(order, key, found, rows, before=more, after=behind)
    return _list(order, key, found, rows, before=behind, after=more)


async def _read_around(
    session: AsyncSession, site_id: UUID, key: str | None, around: UUID, order: str, limit: int
) -> Listing:
    """Read half of a page to each side of a comment, or more where there is less on the other side."""
    middle = await read_shown(session, site_id, around)
    if middle is None or key not in {None, middle.key}:
        raise NotFound(NO_COMMENT)
    at, room = Position(order, around), limit - 1
    found = await read_page(session, site_id, middle.key, order, room, at)
    after = _comments_in(found)
    before = _comments_in(await read_page(session, site_id, middle.key, _OTHER_WAY[order], room, at))
    left = min(len(before), max(room // 2, room - len(after)))
    right = min(len(after), room - left)
    rows = [*reversed(before[:left]), middle, *after[:right]]
    ends = {"before": len(before) > left, "after": len(after) > right}
    return _list(order, middle.key, found, rows, **ends)


def _comments_in(found: Sequence[Row[Any]]) -> list[Row[Any]]:
    return [row for row in found if row.id is not None]


def _list(
    order: str,
    key: str,
    found: Sequence[Row[Any]],
    rows: Sequence[Row[Any]],
    *,
    before: bool,
    after: bool,
) -> Listing:
    """Make a listing of rows, with the ways to what lies before and after where that is to be had.

    Where all that lay here is gone meanwhile, they lead to the end and to the beginning of the list.
    """
    first, last = (rows[0].id, rows[-1].id) if rows else (ENDS[_OTHER_WAY[order]], ENDS[order])
    return Listing(
        key=key,
        rows=rows,
        previous=Position(BACK + order, first) if before else None,
        next=Position(order, last) if after else None,
        revision=found[0].revision if found else None,
        visible=found[0].visible if found else 0,
        is_closed=found[0].is_closed if found else None,
    )
