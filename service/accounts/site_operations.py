"""What moderators, and whoever types on the machine, do about sites: each change stands in the site's log."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from service.clock import new_id
from service.comments.tables import Article, Comment
from service.comments.visibility import bump_article
from service.database import insert_new
from service.database.statements import only_once
from service.errors import FieldError
from service.http.faults import Faults
from service.services import Services
from service.sites.articles import check_origin
from service.sites.errors import SettingFixed, SiteExists
from service.sites.policy import (
    FIXED_SETTINGS,
    SettingValue,
    change_policy,
    find_faults,
    read_policy,
)
from service.sites.schemas import ArticleState, ArticleView, ChangeSite, CreateSite
from service.sites.tables import Site, SiteOrigin


async def create_site(services: Services, command: CreateSite, actor_id: UUID | None) -> None:
    """Make a site; raises SiteExists."""
    async with services.changing(actor_id) as work:
        session, slug = work.session, command.slug
        if (await session.exec(select(Site.id).where(Site.slug == slug))).first():
            raise SiteExists
        site = Site(id=new_id(), slug=slug, title=command.title, created_at=work.now)
        # Written before the origins, which refer to it by a foreign key that the session does not know of.
        async with only_once(session, SiteExists()):
            session.add(site)
        await _set_origins(session, site.id, command.origins)
        work.log(site.id, "site.created", slug)
    services.directory.forget()


async def change_site(
    services: Services, site_id: UUID, command: ChangeSite, actor_id: UUID | None, faults: Faults
) -> None:
    """Change what the command names of a site: its title, its origins or settings.

    Raises Invalid for all that `faults` hold, with what is wrong with the settings as they are now; or
    SettingFixed.
    """
    title, origins, settings = command.title, command.origins, command.settings or {}
    async with services.changing(actor_id) as work:
        session = work.session
        query = select(Site).where(Site.id == site_id).with_for_update()
        site = (await session.exec(query)).one()
        with faults:
            await _check_settings(session, site, settings, faults)
        site.policy = change_policy(site.policy, settings)
        site.title = title or site.title
        session.add(site)
        if origins:
            await _set_origins(session, site_id, origins)
        for name in (*settings, *(["title"] if title else []), *(["origins"] if origins else [])):
            work.log(site_id, "site.changed", name)
    services.directory.forget()


async def set_article(
    services: Services, site_id: UUID, key: str, state: ArticleState, actor_id: UUID
) -> tuple[ArticleView, bool]:
    """Open or close an article by its canonical key; gives it, and whether it was made for this."""
    is_closed = state == "closed"
    of_key = (col(Article.site_id) == site_id, col(Article.key) == key)
    row = {"id": new_id(), "site_id": site_id, "key": key, "is_closed": is_closed}
    async with services.changing(actor_id) as work:
        session, more = work.session, {"visible": 0, "revision": 0, "created_at": work.now}
        inserted = insert_new(work.connection, Article).values({**row, **more})
        is_new = (await session.exec(inserted.returning(col(Article.id)))).first() is not None
        await session.exec(update(Article).where(*of_key).values(is_closed=is_closed))
        article = (await session.exec(select(Article).where(*of_key))).one()
        # The form under the article is public as well.
        await work.run(bump_article, article.id)
        work.log(site_id, f"article.{state}", article.id)
    services.articles.forget()
    return ArticleView(key, state, article.visible, article.created_at), is_new


async def _set_origins(session: AsyncSession, site_id: UUID, origins: Sequence[str]) -> None:
    unique = dict.fromkeys(map(check_origin, origins))
    await session.exec(delete(SiteOrigin).where(col(SiteOrigin.site_id) == site_id))
    session.add_all(
        SiteOrigin(site_id=site_id, position=place, origin=origin) for place, origin in enumerate(unique)
    )


async def _check_settings(
    session: AsyncSession, site: Site, settings: Mapping[str, SettingValue], faults: Faults
) -> None:
    """Note what is wrong with new settings; raises SettingFixed where that is all that is wrong."""
    faults.add(find_faults(site.policy, settings, "#/settings"))
    policy = read_policy(site.policy)
    changed = [
        name for name in FIXED_SETTINGS if name in settings and settings[name] != getattr(policy, name)
    ]
    details = await _find_what_fixes(session, site.id, changed)
    if details and not faults:
        raise SettingFixed(next(iter(details.values())))
    for name, detail in details.items():
        faults.add([FieldError("settings_not_allowed", detail, f"#/settings/{name}")])


async def _find_what_fixes(session: AsyncSession, site_id: UUID, names: Sequence[str]) -> dict[str, str]:
    """Say why settings cannot change: for comments, or for an article whose key could be another one then."""
    comments = select(Comment.id).where(Comment.site_id == site_id).limit(1)
    if names and (await session.exec(comments)).first() is not None:
        return dict.fromkeys(names, SettingFixed.default_detail)
    found = {}
    for name in names:
        query = select(Article.key).where(
            Article.site_id == site_id, col(Article.key).like(FIXED_SETTINGS[name])
        )
        key = (await session.exec(query.order_by(col(Article.key)).limit(1))).first()
        if key is not None:
            found[name] = f"The setting cannot change once there is an article such as {key}."
    return found
