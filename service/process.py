"""All that one running service has, from its start to its end."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from service.accounts.passwords import Passwords
from service.clock import Clock
from service.database import Bounds, Connections, Database
from service.database.group_commit import GroupCommit
from service.database.migrations.running import require_current_schema
from service.housekeeping import keep_house
from service.http.docs import Readers
from service.http.guests import Guests
from service.modlog.heads import LogHeads
from service.privacy.vault import open_vault
from service.publication.cache.invalidation import keep_valid
from service.publication.cache.read_through import Cache
from service.publication.cache.store import Store
from service.publication.live import Live
from service.rate_limiting.fallback import open_limits
from service.rate_limiting.in_process import monotonic_us
from service.services import Services
from service.settings import Settings
from service.sites.directory import SiteDirectory
from service.submission.storing import SubmissionWriter, store_drafts
from service.telemetry.metrics import Metrics


class Process:
    """What the handlers of one service find with each request; its parts are there while it runs."""

    services: Services
    writer: SubmissionWriter
    cache: Cache
    live: Live

    def __init__(self, settings: Settings, clock: Clock, now_us: Callable[[], int], openapi: bytes) -> None:
        self.settings = settings
        self.openapi = openapi
        """The document of the API."""
        self.metrics = Metrics()
        self.store = Store(settings.page_memory_mib << 20)
        self.guests = Guests(settings.trusted_proxies, settings.max_connections_per_network)
        self._clock = clock
        self._now_us = now_us

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Make the parts and close them again; raises SettingsInvalid and SchemaOutdated."""
        async with start_services(self.settings, self._clock, self.metrics, self._now_us) as services:
            self.services = services
            self.writer = GroupCommit(services.database, store_drafts, self.settings.max_waiting_submissions)
            self.metrics.vitals.watch(services.database.engines, self.writer)
            standby = services.standby.pages if services.standby else None
            self.cache = Cache(services.database.pages, self.store, self.metrics, standby)
            self.live = Live(services.database.pages, self.cache, self.metrics, self.settings.max_streams)
            async with (
                self.writer.running(),
                self.metrics.vitals.kept(),
                keep_house(services),
                keep_valid(services, self.cache, self.live),
            ):
                yield

    async def is_allowed(self, origin: str, readers: Readers, parameters: Mapping[str, str]) -> bool:
        """Tell whether scripts of an origin may read what a route answers, by those whom it is for."""
        directory = self.services.directory
        if readers is not Readers.SITE:
            return await directory.is_origin_of_any(origin)
        site = await directory.find(parameters.get("site", ""))
        return site is not None and origin in site.origins


@asynccontextmanager
async def start_services(
    settings: Settings,
    clock: Clock,
    metrics: Metrics,
    now_us: Callable[[], int] = monotonic_us,
    bounds: Bounds | None = None,
) -> AsyncIterator[Services]:
    """Make the parts of the service and close them again; the usual `bounds` are those of requests."""
    sizes = Connections(
        pages=settings.page_connections,
        submissions=settings.submission_connections,
        moderators=settings.moderator_connections,
    )
    bounds = bounds or Bounds.within(settings.database_patience_seconds)
    database = Database(settings.database_url, connections=sizes, bounds=bounds)
    standby = (
        Database(settings.standby_url, connections=sizes, bounds=bounds, is_standby=True)
        if settings.standby_url
        else None
    )
    try:
        await require_current_schema(database)
        vault, limiter_key = await open_vault(database, settings, clock())
        patience_seconds = settings.redis_patience_milliseconds / 1_000
        async with open_limits(
            settings.redis_url, limiter_key, metrics, now_us, patience_seconds=patience_seconds
        ) as (limiter, leases):
            yield Services(
                settings=settings,
                clock=clock,
                database=database,
                vault=vault,
                limiter=limiter,
                leases=leases,
                directory=SiteDirectory(database.submissions),
                passwords=Passwords(),
                log_heads=LogHeads(settings.data_dir),
                metrics=metrics,
                standby=standby,
            )
    finally:
        await database.close()
        if standby:
            await standby.close()
