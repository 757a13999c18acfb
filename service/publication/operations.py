"""What the public can ask for: each gives an entry of the cache."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Row
from sqlmodel.ext.asyncio.session import AsyncSession

from service.clock import parse_id
from service.concurrency.beside import do_beside
from service.errors import NotFound
from service.http.cursors import make_cursor
from service.publication import queries
from service.publication.cache.dependencies import Dependencies
from service.publication.cache.read_through import Cache, Loaded
from service.publication.cache.store import Entry
from service.publication.feed import Feed, read_feed, render_feed
from service.publication.fragments import Fragment, as_pattern, put_redirect, render_fragment
from service.publication.listing import NO_COMMENT, Listing, Window, read_listing
from service.publication.schemas import (
    CommentPage,
    CountComments,
    Counts,
    ListComments,
    ShowFragment,
    show_asked,
)
from service.sites.articles import ArticleRefused
from service.sites.directory import KnownSite
from service.text.languages import find_language

# What is longer takes longer to make than other requests should wait for.
MAX_INLINE_CHARS = 65_536


async def _make(
    site: KnownSite,
    revisions: dict[str, int | None],
    rows: Sequence[Row[Any]],
    make: Callable[[], bytes],
) -> Loaded:
    """Make an answer from comments, a long one beside the event loop."""
    is_short = sum(len(row.html or "") for row in rows) <= MAX_INLINE_CHARS
    return make() if is_short else await do_beside(make), Dependencies(site, revisions)


async def list_comments(cache: Cache, site: KnownSite, wanted: ListComments, window: Window) -> Entry:
    """Give a page of an article, of an unknown one an empty page; raises NotFound for `around`."""

    async def load(session: AsyncSession) -> Loaded:
        found = await read_listing(session, site.id, wanted, window)
        revisions = {found.key: found.revision}
        return await _make(site, revisions, found.rows, lambda: msgspec.json.encode(_make_page(found)))

    asked = ("page", window, wanted.order, wanted.limit)
    return await cache.get(asked, site, load, is_stored=window.around is None)


def _make_page(found: Listing) -> CommentPage:
    return CommentPage(
        article=found.key,
        count=found.visible,
        comments=[queries.publish(row) for row in found.rows],
        previous=make_cursor(found.previous) if found.previous else None,
        next=make_cursor(found.next) if found.next else None,
    )


async def show_fragment(
    cache: Cache, site: KnownSite, wanted: ShowFragment, window: Window, public_url: str
) -> Entry:
    """Give a page of an article as HTML with the form; raises NotFound for `parent` and `around`."""
    parent_id = parse_id(wanted.parent) if wanted.parent else None
    if wanted.parent and parent_id is None:
        raise NotFound(NO_COMMENT)
    language = find_language(wanted.lang or "") or site.policy.language
    pattern = as_pattern(wanted)

    async def load(session: AsyncSession) -> Loaded:
        found = await read_listing(session, site.id, wanted, window)
        answered = await queries.read_visible(session, site.id, parent_id) if parent_id else None
        if parent_id and (answered is None or answered.key != found.key):
            raise NotFound(NO_COMMENT)
        shown = [answered] if answered else found.rows
        fragment = Fragment(
            site=site,
            page=_make_page(found),
            wanted=pattern,
            language=language,
            revision=found.revision,
            is_open=site.policy.takes_comments(found.is_closed),
            public_url=public_url,
            answerable={str(row.id) for row in shown if row.depth < site.policy.max_depth},
            answered=queries.publish(answered) if answered else None,
            elsewhere=await _name_elsewhere(session, site, shown),
        )
        revisions = {found.key: found.revision}
        return await _make(site, revisions, found.rows, lambda: render_fragment(fragment))

    asked = ("fragment", window, wanted.order, wanted.limit)
    made_for = (language, wanted.view, parent_id, pattern.redirect_to is not None)
    entry = await cache.get((*asked, *made_for), site, load, is_stored=window.around is None)
    redirect_to = wanted.redirect_to
    return cache.derive(entry, redirect_to, put_redirect) if redirect_to else entry


async def _name_elsewhere(
    session: AsyncSession, site: KnownSite, rows: Sequence[Row[Any]]
) -> dict[str, str | None]:
    """Give the names on what comments answer that is not among them; None of a tombstone."""
    answered = {row.parent_id for row in rows if row.parent_id} - {row.id for row in rows}
    names = await queries.read_names(session, site.id, answered)
    return {str(one): names.get(one) for one in answered}


async def show_comment(cache: Cache, site: KnownSite, comment: str) -> Entry:
    """Give one visible comment; raises NotFound."""
    comment_id = parse_id(comment)

    async def load(session: AsyncSession) -> Loaded:
        row = await queries.read_visible(session, site.id, comment_id) if comment_id else None
        if row is None:
            raise NotFound(NO_COMMENT)
        revisions = {row.key: row.revision}
        return msgspec.json.encode(queries.publish(row)), Dependencies(site, revisions)

    return await cache.get(("comment", comment_id), site, load)


async def show_feed(cache: Cache, site: KnownSite, key: str | None, public_url: str) -> Entry:
    """Give what became visible last of an article, or of the whole site, as a feed."""

    async def load(session: AsyncSession) -> Loaded:
        rows, changed_at, revisions = await read_feed(session, site.id, key)
        feed = Feed(site, key, rows, changed_at, public_url)
        return await _make(site, revisions, rows, lambda: render_feed(feed))

    return await cache.get(("feed", key), site, load)


async def count_comments(cache: Cache, site: KnownSite, wanted: CountComments) -> Entry:
    """Give the counts of many articles at once, each under the name asked for."""
    keys: dict[str, str | None] = {}
    for raw in wanted.article:
        asked = show_asked(raw)
        # Where what is no UTF-8 is shown like another name, that one is an article and this is none.
        keys[asked] = _find_key(site, raw) or keys.get(asked)

    async def load(session: AsyncSession) -> Loaded:
        wanted_keys = dict.fromkeys(key for key in keys.values() if key is not None)
        found = await queries.read_counts(session, {(site.id, key) for key in wanted_keys})
        known = {key: found.get((site.id, key), (None, 0)) for key in wanted_keys}
        counts = Counts({asked: known[key][1] if key else None for asked, key in keys.items()})
        revisions = {key: revision for key, (revision, _) in known.items()}
        return msgspec.json.encode(counts), Dependencies(site, revisions)

    # The names themselves may be long, and are in the answer already.
    names = sha256(msgspec.json.encode(keys)).digest()
    return await cache.get(("counts", names), site, load)


def _find_key(site: KnownSite, raw: str) -> str | None:
    """Give the canonical key of an article; None for what cannot be one of this site's."""
    try:
        return site.article_key(raw)
    except ArticleRefused:
        return None
