"""Opening, closing and listing articles."""

from sqlmodel import col, select, update

from service.accounts.rules import Caller
from service.administration.schemas import ArticleView, SetArticle
from service.clock import new_id
from service.comments.tables import Article
from service.database import insert_new
from service.errors import Invalid
from service.modlog.entries import make_entry
from service.modlog.operations import append_entries
from service.services import Services
from service.sites.articles import ArticleRefused
from service.sites.directory import KnownSite


async def set_article_state(
    services: Services, site: KnownSite, command: SetArticle, caller: Caller
) -> ArticleView:
    """Open or close an article, which is made if there is none; raises Invalid for a key that is none."""
    key = _normalise(site, command.article)
    now, is_closed = services.clock(), command.state == "closed"
    values = {"id": new_id(), "site_id": site.id, "key": key, "created_at": now}
    of_key = (col(Article.site_id) == site.id, col(Article.key) == key)
    async with services.writing() as session:
        keyring = await services.vault.keyring(session)
        counts = {"visible": 0, "revision": 0}
        await session.exec(
            insert_new(session, Article, {**values, **counts, "is_closed": is_closed})
        )
        await session.exec(update(Article).where(*of_key).values(is_closed=is_closed))
        article = (await session.exec(select(Article).where(*of_key))).one()
        entry = make_entry(
            f"article.{command.state}", now, caller.moderator_id, subject=str(article.id)
        )
        await append_entries(session, keyring, site.id, [entry])
    return ArticleView(key, command.state, article.visible, article.created_at)


def _normalise(site: KnownSite, raw: str) -> str:
    try:
        return site.article_key(raw)
    except ArticleRefused as refusal:
        raise Invalid(errors=[refusal.as_error(pointer="#/article")]) from None
