"""How word of a change gets around: to our own pages, the other processes, and the cache in front."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from service.publication.channel import Channel
from service.publication.pages import Pages
from service.services import Services


@asynccontextmanager
async def keep_pages(services: Services, pages: Pages) -> AsyncIterator[None]:
    """Keep public answers true, here and elsewhere, for as long as the block lasts."""
    settings, changes = services.settings, services.changes
    changes.listen(pages.forget)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(pages.running())
        if settings.redis_url:
            channel = Channel(settings.redis_url, pages.forget, pages.doubt, services.metrics)
            changes.listen(channel.tell)
            await stack.enter_async_context(channel.running())
        if settings.purge_url:
            # Here, since an HTTP client takes long to import and few have a use for it.
            from service.publication.purging import Purger

            purger = Purger(settings.purge_url, services.metrics)
            changes.listen(purger.purge)
            await stack.enter_async_context(purger.running())
        yield
