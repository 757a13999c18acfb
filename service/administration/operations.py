"""Making and changing sites, opening and closing their articles."""

from sqlmodel import col, select, update

from service.accounts.rules import Caller
from service.administration.schemas import (
    ArticleState,
    ArticleView,
    ChangeSite,
    CreateSite,
)
from service.clock import new_id
from service.comments.tables import Article
from service.comments.visibility import bump_article
from service.database import insert_new
from service.http.faults import Faults
from service.services import Services
from service.sites import operations as sites
from service.sites.directory import KnownSite


async def create_site(services: Services, command: CreateSite, caller: Caller) -> None:
    """Make a site; raises SiteExists."""
    async with services.changing(caller.moderator_id) as work:
        await sites.create_site(
            work, slug=command.slug, title=command.title, origins=command.origins
        )
    services.directory.forget()


async def change_site(
    services: Services, site: KnownSite, command: ChangeSite, caller: Caller, faults: Faults
) -> None:
    """Change what the command names, unless it has faults; raises Invalid or SettingFixed."""
    async with services.changing(caller.moderator_id) as work:
        await sites.change_site(
            work,
            site.id,
            title=command.title or None,
            origins=command.origins or None,
            settings=command.settings or {},
            faults=faults,
        )
    services.directory.forget()


async def set_article_state(
    services: Services, site: KnownSite, key: str, state: ArticleState, caller: Caller
) -> tuple[ArticleView, bool]:
    """Open or close an article by its canonical key; gives it, and whether it was made for this."""
    is_closed = state == "closed"
    values = {"id": new_id(), "site_id": site.id, "key": key, "is_closed": is_closed}
    of_key = (col(Article.site_id) == site.id, col(Article.key) == key)
    async with services.changing(caller.moderator_id) as work:
        session, counts = work.session, {"visible": 0, "revision": 0}
        row = {**values, **counts, "created_at": work.now}
        made = await session.exec(
            insert_new(work.connection, Article).values(row).returning(col(Article.id))
        )
        is_new = made.first() is not None
        await session.exec(update(Article).where(*of_key).values(is_closed=is_closed))
        article = (await session.exec(select(Article).where(*of_key))).one()
        # The form under the article is public as well.
        await work.run(bump_article, article.id)
        work.log(site.id, f"article.{state}", article.id)
    services.articles.forget()
    return ArticleView(key, state, article.visible, article.created_at), is_new
