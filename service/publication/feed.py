"""Feeds of what became visible last: Atom (RFC 4287) with the threading extension (RFC 4685)."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID, uuid5

import msgspec
from sqlalchemy import Row, Select, bindparam, literal_column, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from service.changes import WHOLE_SITE
from service.comments.tables import PUBLISHED, Article, Comment
from service.database import table_of
from service.http.pages import render
from service.publication.queries import (
    IS_VISIBLE,
    SHOWN,
    THIS_ARTICLE,
    fetch,
    publish,
    read_counts,
)
from service.sites.directory import KnownSite

ATOM = "application/atom+xml"
MAX_ENTRIES = 50
# What XML 1.0 (section 2.2) has no way to say, not even escaped.
_NOT_IN_IRI = re.compile(r'[\s<>"{}|\\^`]')
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


# Spelt as the indexes on it are.
_MOMENT = table_of(Comment).c.submitted_at.type
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


# Comments, when anything last changed in public, also by going away, and at what revisions that was read.
FeedRows = tuple[Sequence[Row[Any]], datetime | None, dict[str, int | None]]


async def read_feed(session: AsyncSession, site_id: UUID, key: str | None) -> FeedRows:
    """Read what became visible last, the last first, of an article or, without a key, of the whole site.

    Each row has the columns of a comment, and `key` where the feed is that of a site.
    """
    if key is None:
        return await _read_feed_of_site(session, site_id)
    rows = await fetch(session, _feed_query(), site_id=site_id, key=key, limit=MAX_ENTRIES)
    revision, changed_at = (rows[0].revision, rows[0].article_changed_at) if rows else (None, None)
    return [row for row in rows if row.id is not None], changed_at, {key: revision}


async def _read_feed_of_site(session: AsyncSession, site_id: UUID) -> FeedRows:
    # First: comments that are newer than the log's length have the feed made again, older ones would not.
    heads = await read_counts(session, {(site_id, WHOLE_SITE)})
    length, _ = heads.get((site_id, WHOLE_SITE), (None, 0))
    rows = await fetch(session, _FEED_OF_SITE, site_id=site_id, limit=MAX_ENTRIES)
    changed = await fetch(session, _LAST_CHANGE, site_id=site_id)
    # A comment that is rendered anew changes its article, and the log has no entry of it.
    revisions = {WHOLE_SITE: length, **{row.key: row.revision for row in rows}}
    return rows, changed[0].changed_at if changed else None, revisions


class Feed(msgspec.Struct, frozen=True):
    """What a feed is made of: a site or one article of it, and what `read_feed` gives of it."""

    site: KnownSite
    article: str | None
    rows: Sequence[Row[Any]]
    changed_at: datetime | None
    public_url: str


def render_feed(feed: Feed) -> bytes:
    """Write a feed; of the same comments it is the same bytes."""
    written = render(
        "feed.xml",
        id=feed.site.id if feed.article is None else uuid5(feed.site.id, feed.article),
        title=_feed_title(feed),
        updated=_updated(feed),
        self_url=_self_url(feed),
        page=feed.site.article_url("/" if feed.article is None else feed.article),
        entries=[_make_entry(feed, row) for row in feed.rows],
        time=_format,
        iri=_as_iri,
    )
    return _NOT_IN_XML.sub("\ufffd", written.decode()).encode()


def _make_entry(feed: Feed, row: Row[Any]) -> dict[str, Any]:
    article: str = row.key if feed.article is None else feed.article
    return {
        "comment": publish(row),
        "article": article,
        "page": feed.site.article_url(article),
        "updated": _changed(row),
        "published": row.published,
    }


def _as_iri(address: str) -> str:
    """Give an address with what no IRI holds as triplets (RFC 3987, section 2.2)."""
    return _NOT_IN_IRI.sub(lambda found: quote(found[0]), _NOT_IN_XML.sub("\ufffd", address))


def _feed_title(feed: Feed) -> str:
    title = f"Comments on {feed.site.title}"
    return title if feed.article is None else f"{title}: {feed.article}"


def _self_url(feed: Feed) -> str:
    query = "" if feed.article is None else f"?{urlencode({'article': feed.article})}"
    return f"{feed.public_url}/v1/sites/{feed.site.slug}/comments.atom{query}"


def _updated(feed: Feed) -> datetime:
    """Give the time of the last change; before there is one, that of the site, which its id tells."""
    made = datetime.fromtimestamp((feed.site.id.int >> 80) / 1000, UTC)
    known = [feed.changed_at] if feed.changed_at else []
    return max([*known, *map(_changed, feed.rows)], default=made)


def _changed(row: Row[Any]) -> datetime:
    """Give when the public last came to see a comment otherwise; at first that is when it became visible."""
    changed: datetime = max(row.changed_at or row.published, row.published)
    return changed


def _format(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
