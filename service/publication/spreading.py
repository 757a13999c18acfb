"""How word of a change gets around: to our own pages and streams, the other processes, the cache in front."""

from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager

from service.changes import Change
from service.publication.channel import Channel
from service.publication.live import Live
from service.publication.pages import Pages
from service.services import Services


@asynccontextmanager
async def keep_pages(services: Services, pages: Pages, live: Live) -> AsyncIterator[None]:
    """Keep public answers and streams true, here and elsewhere, for as long as the block lasts."""
    settings, changes = services.settings, services.changes

    def hear(heard: Collection[Change]) -> None:
        # In this order: those who are woken ask for what has changed.
        pages.forget(heard)
        live.hear(heard)

    changes.listen(hear)
    async with AsyncExitStack() as stack:
        for part in (pages, live, services.leases):
            await stack.enter_async_context(part.running())
        if settings.redis_url:
            channel = Channel(settings.redis_url, hear, pages.doubt, services.metrics)
            changes.listen(channel.tell)
            await stack.enter_async_context(channel.running())
        if settings.purge_url:
            # Here, since an HTTP client takes long to import and few have a use for it.
            from service.publication.purging import Purger

            purger = Purger(settings.purge_url, services.metrics)
            changes.listen(purger.purge)
            await stack.enter_async_context(purger.running())
        yield
