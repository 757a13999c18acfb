"""The sites as a process knows them: read at most a second ago, so that changes reach every process."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.concurrency.brief_memory import BriefMemory
from service.database import Pool
from service.errors import NotFound
from service.http.wire import Slug
from service.sites.articles import normalise_article, parse_hosts
from service.sites.policy import SitePolicy, read_policy
from service.sites.tables import Site, SiteOrigin

# No origin of a site is longer, so no longer one has to be remembered.
MAX_ORIGIN_CHARS = 300


class KnownSite(msgspec.Struct, frozen=True):
    """A site with its origins, the first of which is the site's own, and its policy."""

    id: UUID
    slug: str
    title: str
    origins: tuple[str, ...]
    policy: SitePolicy

    def article_key(self, raw: str) -> str:
        """Give the canonical key of an article of this site; raises ArticleRefused."""
        return normalise_article(
            raw,
            origins=self.origins,
            aliases=parse_hosts(self.policy.host_aliases),
            keep_trailing_slash=self.policy.trailing_slash == "keep",
        )

    def article_url(self, key: str) -> str | None:
        """Give the address of an article by its canonical key; None for a key that is no address."""
        if not key.startswith("/") or not self.origins:
            return None
        if not key.startswith("//"):
            return self.origins[0] + key
        host, slash, path = key[2:].partition("/")
        home = next((one for one in self.origins if one.partition("//")[2] == host), None)
        return f"{home}{slash}{path}" if home else None


class SiteDirectory:
    """Looks sites up by slug or origin and remembers the answer for a second."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._by_slug = BriefMemory[str, KnownSite | None]()
        self._origins = BriefMemory[str, bool]()

    async def find(self, slug: str) -> KnownSite | None:
        """Give the site of that slug, or None."""
        if not is_slug(slug):
            # No database is asked for what no site can be called; PostgreSQL fails at a NUL.
            return None
        return await self._by_slug.get(slug, lambda: self._load_site(slug))

    async def get(self, slug: str) -> KnownSite:
        """Give the site of that slug; raises NotFound."""
        site = await self.find(slug)
        if site is None:
            # In the words of whatever the caller may not know of.
            raise NotFound
        return site

    async def is_origin_of_any(self, origin: str) -> bool:
        """Tell whether an origin belongs to any site."""
        if len(origin) > MAX_ORIGIN_CHARS:
            return False
        return await self._origins.get(origin, lambda: self._load_origin(origin))

    def forget(self) -> None:
        """Read everything anew at the next look-up, after a change made by this process."""
        self._by_slug.forget()
        self._origins.forget()

    async def _load_site(self, slug: str) -> KnownSite | None:
        async with self._pool.reading() as session:
            return await load_site(session, slug)

    async def _load_origin(self, origin: str) -> bool:
        query = select(SiteOrigin.origin).where(SiteOrigin.origin == origin).limit(1)
        async with self._pool.reading() as session:
            return (await session.exec(query)).first() is not None


def is_slug(text: str) -> bool:
    """Tell whether a site may have this slug."""
    try:
        msgspec.convert(text, Slug)
    except msgspec.ValidationError:
        return False
    return True


async def load_site(session: AsyncSession, slug: str) -> KnownSite | None:
    """Read a site from the database."""
    row = (await session.exec(select(Site).where(Site.slug == slug))).first()
    return (await complete_sites(session, [row]))[0] if row else None


async def complete_sites(session: AsyncSession, rows: Sequence[Site]) -> list[KnownSite]:
    """Add to sites what lies in other tables, in one query for all of them."""
    query = select(SiteOrigin).where(col(SiteOrigin.site_id).in_([row.id for row in rows]))
    origins: dict[UUID, list[str]] = {row.id: [] for row in rows}
    for found in await session.exec(query.order_by(col(SiteOrigin.position))):
        origins[found.site_id].append(found.origin)
    return [
        KnownSite(row.id, row.slug, row.title, tuple(origins[row.id]), read_policy(row.policy))
        for row in rows
    ]


async def read_sites(
    session: AsyncSession, wanted: Sequence[UUID] | None, after: UUID | None, limit: int | None
) -> list[KnownSite]:
    """Read sites by slug, at most `limit` of those that follow `after`; None wants every site."""
    query = select(Site).order_by(col(Site.slug)).limit(limit)
    if wanted is not None:
        query = query.where(col(Site.id).in_(wanted))
    if after:
        last = select(Site.slug).where(Site.id == after).scalar_subquery()
        query = query.where(col(Site.slug) > last)
    return await complete_sites(session, (await session.exec(query)).all())
