"""How a change gets around: to our own cache and streams, the other processes, the cache in front."""

from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager

from service.changes import Change
from service.publication.cache.channel import Channel
from service.publication.cache.read_through import Cache
from service.publication.live import Live
from service.services import Services


@asynccontextmanager
async def keep_valid(services: Services, cache: Cache, live: Live) -> AsyncIterator[None]:
    """Keep public answers and streams valid, here and elsewhere, for as long as the block lasts."""
    settings, changes = services.settings, services.changes

    def invalidate(heard: Collection[Change]) -> None:
        # In this order: those who are woken ask for what has changed.
        cache.invalidate(heard)
        live.hear(heard)

    changes.listen(invalidate)
    async with AsyncExitStack() as stack:
        for part in (cache, live, services.leases):
            await stack.enter_async_context(part.running())
        if settings.redis_url:
            channel = Channel(settings.redis_url, invalidate, cache.mark_stale, services.metrics)
            changes.listen(channel.tell)
            await stack.enter_async_context(channel.running())
        if settings.purge_url:
            # Here, since an HTTP client takes long to import and few have a use for it.
            from service.publication.cache.purging import Purger

            purger = Purger(settings.purge_url, services.metrics)
            changes.listen(purger.purge)
            await stack.enter_async_context(purger.running())
        yield
