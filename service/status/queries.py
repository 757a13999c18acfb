"""Reading what the metrics say of the logs."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.modlog.rules import Head
from service.modlog.tables import LogHead
from service.sites.tables import Site


async def read_heads(session: AsyncSession) -> dict[str, Head]:
    """Read the head of every site's log, by the site's slug."""
    query = select(Site.slug, LogHead).join(LogHead, col(LogHead.site_id) == Site.id)
    return {slug: Head(head.length, head.mac) for slug, head in await session.exec(query)}
