"""What the public can ask for."""

from collections.abc import Sequence

from service.clock import parse_id
from service.errors import FieldError, Invalid, NotFound
from service.http.cursors import Position, make_cursor, read_cursor
from service.publication import queries
from service.publication.schemas import (
    CommentPage,
    CountComments,
    Counts,
    ListComments,
    PublicComment,
)
from service.services import Services
from service.sites.articles import ArticleRefused
from service.sites.directory import KnownSite


def article_keys(site: KnownSite, raw: Sequence[str]) -> list[str]:
    """Give the canonical keys of articles asked for in a query; raises Invalid, which names each bad one."""
    keys: list[str] = []
    errors: list[FieldError] = []
    for one in raw:
        try:
            keys.append(site.article_key(one))
        except ArticleRefused as refusal:
            errors.append(refusal.as_error(parameter="article"))
    if errors:
        raise Invalid(errors=errors)
    return keys


async def list_comments(services: Services, site: KnownSite, wanted: ListComments) -> CommentPage:
    """Give a page of an article; of an unknown article it is empty. Raises Invalid."""
    [key] = article_keys(site, [wanted.article])
    after = read_cursor(wanted.cursor, wanted.order)
    async with services.reading() as session:
        article = await queries.find_article(session, site.id, key)
        if article is None:
            return CommentPage(key, 0, [], None)
        rows = await queries.read_page(session, article.id, wanted.order, wanted.limit, after)
    shown = [queries.publish(row) for row in rows[: wanted.limit]]
    more = len(rows) > wanted.limit
    position = Position(wanted.order, rows[wanted.limit - 1].id) if more else None
    return CommentPage(key, article.visible, shown, make_cursor(position) if position else None)


async def show_comment(services: Services, site: KnownSite, comment: str) -> PublicComment:
    """Give one visible comment; raises NotFound."""
    comment_id = parse_id(comment)
    async with services.reading() as session:
        row = await queries.read_visible(session, site.id, comment_id) if comment_id else None
    if row is None:
        raise NotFound("There is no visible comment of this id on this site.")
    return queries.publish(row)


async def count_comments(services: Services, site: KnownSite, wanted: CountComments) -> Counts:
    """Give the counts of many articles at once, each under the name asked for; raises Invalid."""
    keys = article_keys(site, wanted.article)
    async with services.reading() as session:
        found = await queries.count_visible(session, site.id, keys)
    return Counts(
        {asked: found.get(key, 0) for asked, key in zip(wanted.article, keys, strict=True)}
    )
