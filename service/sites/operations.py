"""Making and changing sites, in the caller's transaction; every change stands in the site's log."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Text, Uuid, column, table
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.clock import new_id
from service.database.statements import only_once
from service.errors import FieldError
from service.http.faults import Faults
from service.sites.articles import check_origin
from service.sites.errors import SettingFixed, SiteExists
from service.sites.policy import (
    FIXED_SETTINGS,
    SettingValue,
    change_policy,
    find_faults,
    read_policy,
)
from service.sites.tables import Site, SiteOrigin
from service.work import Work


async def create_site(work: Work, *, slug: str, title: str, origins: Sequence[str]) -> Site:
    """Make a site; raises SiteExists."""
    session = work.session
    if (await session.exec(select(Site.id).where(Site.slug == slug))).first():
        raise SiteExists
    site = Site(id=new_id(), slug=slug, title=title, created_at=work.now)
    # Written before the origins, which refer to it by a foreign key that the session does not know of.
    async with only_once(session, SiteExists()):
        session.add(site)
    await _set_origins(session, site.id, origins)
    work.log(site.id, "site.created", slug)
    return site


async def change_site(
    work: Work,
    site_id: UUID,
    *,
    title: str | None = None,
    origins: Sequence[str] | None = None,
    settings: Mapping[str, SettingValue],
    faults: Faults,
) -> None:
    """Change a site's title, origins or settings.

    Raises Invalid for all that `faults` hold, with what is wrong with the settings as they are now; or
    SettingFixed.
    """
    session = work.session
    query = select(Site).where(Site.id == site_id).with_for_update()
    site = (await session.exec(query)).one()
    with faults:
        await _check_settings(session, site, settings, faults)
    site.policy = change_policy(site.policy, settings)
    site.title = title or site.title
    session.add(site)
    if origins is not None:
        await _set_origins(session, site_id, origins)
    for name in (*settings, *(["title"] if title else []), *(["origins"] if origins else [])):
        work.log(site_id, "site.changed", name)


async def _set_origins(session: AsyncSession, site_id: UUID, origins: Sequence[str]) -> None:
    unique = dict.fromkeys(map(check_origin, origins))
    await session.exec(delete(SiteOrigin).where(col(SiteOrigin.site_id) == site_id))
    session.add_all(
        SiteOrigin(site_id=site_id, position=place, origin=origin)
        for place, origin in enumerate(unique)
    )


async def _check_settings(
    session: AsyncSession, site: Site, settings: Mapping[str, SettingValue], faults: Faults
) -> None:
    """Note what is wrong with new settings; raises SettingFixed where that is all that is wrong."""
    faults.add(find_faults(site.policy, settings, "#/settings"))
    policy = read_policy(site.policy)
    changed = [
        name
        for name in FIXED_SETTINGS
        if name in settings and settings[name] != getattr(policy, name)
    ]
    details = await _find_what_fixes(session, site.id, changed)
    if details and not faults:
        raise SettingFixed(next(iter(details.values())))
    for name, detail in details.items():
        faults.add([FieldError("settings_not_allowed", detail, f"#/settings/{name}")])


async def _find_what_fixes(
    session: AsyncSession, site_id: UUID, names: Sequence[str]
) -> dict[str, str]:
    """Say why settings cannot change: for comments, or for an article whose key could be another one then."""
    if names and await _has_comments(session, site_id):
        return dict.fromkeys(names, SettingFixed.default_detail)
    articles = table("article", column("site_id", Uuid()), column("key", Text()))
    found = {}
    for name in names:
        query = select(articles.c.key).where(
            articles.c.site_id == site_id, articles.c.key.like(FIXED_SETTINGS[name])
        )
        key = (await session.exec(query.order_by(articles.c.key).limit(1))).first()
        if key is not None:
            found[name] = f"The setting cannot change once there is an article such as {key}."
    return found


async def _has_comments(session: AsyncSession, site_id: UUID) -> bool:
    # By its name: what a comment is lies above this module.
    comments = table("comment", column("site_id", Uuid()))
    found = select(comments.c.site_id).where(comments.c.site_id == site_id).limit(1)
    return (await session.exec(found)).first() is not None
