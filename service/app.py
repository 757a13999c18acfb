"""The application: its routers in the order in which a comment meets them are the table of contents."""

import gc
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.types import ASGIApp

from service.accounts.moderator_routes import ROUTES as MODERATORS
from service.accounts.passwords import Passwords
from service.accounts.routes import ROUTES as ACCOUNTS
from service.accounts.rules import Caller
from service.administration.members import ROUTES as MEMBERS
from service.administration.routes import ROUTES as ADMINISTRATION
from service.clock import Clock, read_clock
from service.database import Bounds, Connections, Database
from service.group_commit import GroupCommit
from service.housekeeping import keep_house
from service.http.cors import CorsPolicy
from service.http.docs import Readers
from service.http.edge import Edge
from service.http.guests import Guests
from service.http.handlers import EXCEPTION_HANDLERS
from service.http.openapi.document import describe_api
from service.http.reading import MAX_BODY_BYTES, AppRequest
from service.http.routing import RouteTable
from service.logs import configure_logs
from service.metrics import Metrics
from service.migrations.running import require_current_schema
from service.moderation.routes import ROUTES as MODERATION
from service.modlog.heads import LogHeads
from service.privacy.opening import open_vault
from service.publication.live import Live
from service.publication.memory import Memory
from service.publication.pages import Pages
from service.publication.routes import ROUTES as PUBLICATION
from service.publication.spreading import keep_pages
from service.rate_limiting.fallback import open_limiter
from service.rate_limiting.in_process import monotonic_us
from service.rate_limiting.leases import build_leases
from service.receipts.routes import ROUTES as RECEIPTS
from service.services import Services
from service.settings import Settings, load_settings
from service.sites.directory import SiteDirectory
from service.status.routes import ROUTES as STATUS
from service.submission.routes import ROUTES as SUBMISSION
from service.submission.storing import store_drafts
from service.web.files import ROUTES as FILES
from service.web.moderation_page import ROUTES as MODERATION_PAGE
from service.web.reference import ROUTES as REFERENCE
from service.web.sign_in import ROUTES as SIGN_IN

ROUTES = [
    *SUBMISSION,
    *MODERATION,
    *PUBLICATION,
    *RECEIPTS,
    *ACCOUNTS,
    *MODERATORS,
    *ADMINISTRATION,
    *MEMBERS,
    *STATUS,
    *SIGN_IN,
    *MODERATION_PAGE,
    *REFERENCE,
    *FILES,
]


def create_app(
    settings: Settings | None = None,
    *,
    clock: Clock = read_clock,
    now_us: Callable[[], int] = monotonic_us,
    extra_routes: list[Any] | None = None,
) -> ASGIApp:
    """Make the service as an ASGI app; without settings they are read from the environment.

    `clock` stamps what is stored; `now_us` is what limits within the process go by, in microseconds.

    The parts are made when the server starts it up, which raises SettingsInvalid for a wrong secret key and
    SchemaOutdated for a database that has to be migrated first.
    """
    settings = settings or load_settings()
    metrics = Metrics()
    memory = Memory(settings.page_memory_mib << 20)

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with start_services(settings, clock, metrics, now_us) as services:
            app.state.services = services
            app.state.writer = GroupCommit(
                services.database, store_drafts, settings.max_waiting_submissions
            )
            metrics.vitals.watch(services.database.engines, app.state.writer)
            standby = services.standby.pages if services.standby else None
            app.state.pages = Pages(services.database.pages, memory, metrics, standby)
            app.state.live = Live(
                services.database.pages, app.state.pages, metrics, settings.max_streams
            )
            async with (
                app.state.writer.running(),
                metrics.vitals.kept(),
                keep_house(services),
                keep_pages(services, app.state.pages, app.state.live),
            ):
                yield

    app = Litestar(
        [*ROUTES, *(extra_routes or [])],
        lifespan=[lifespan],
        dependencies={
            "services": Provide(provide_services, sync_to_thread=False),
            "pages": Provide(provide_pages, sync_to_thread=False),
            "live": Provide(provide_live, sync_to_thread=False),
            "caller": Provide(provide_caller, sync_to_thread=False),
        },
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=None,
        logging_config=None,
        request_max_body_size=MAX_BODY_BYTES,
    )
    table = RouteTable(app.routes)
    app.state.routes = table
    app.state.openapi = describe_api(table)
    cors = CorsPolicy(_origin_lookup(app))
    guests = Guests(settings.trusted_proxies, settings.max_connections_per_network)
    return Edge(app, table, cors, metrics, memory, guests, access_log=settings.access_log)


def serve_app() -> ASGIApp:
    """Make the service in a process of its own, whose logs are the service's."""
    settings = load_settings()
    configure_logs(settings.log_level)
    app = create_app(settings)
    spare_collector()
    return app


def spare_collector() -> None:
    """Let the garbage collector look at what requests leave behind, and not at what stays.

    The modules and the app are more than a hundred thousand objects, and a full pass over them holds every
    request up for 50 to 80 ms. What a request makes mostly dies by itself, so passes may be rarer, too.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 50)


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
        leases = build_leases(settings.redis_url, limiter_key, patience_seconds)
        try:
            async with open_limiter(
                settings.redis_url,
                limiter_key,
                metrics,
                now_us,
                patience_seconds=patience_seconds,
            ) as limiter:
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
            await leases.close()
    finally:
        await database.close()
        if standby:
            await standby.close()


def provide_services(state: State) -> Services:
    """Give the parts of the service to a handler."""
    services: Services = state.services
    return services


# These take `services` to be provided after them, one by one: for what could be provided at the same time
# the framework starts a group of tasks, which costs as much as reading and checking a submission.
def provide_pages(state: State, services: NamedDependency[Services]) -> Pages:
    """Give the public answers of the process to a handler."""
    pages: Pages = state.pages
    return pages


def provide_live(state: State, pages: NamedDependency[Pages]) -> Live:
    """Give those who follow articles in this process to a handler."""
    live: Live = state.live
    return live


def provide_caller(request: AppRequest, services: NamedDependency[Services]) -> Caller:
    """Give who sends the request, whom the guard has let pass."""
    caller: Caller = request.state.caller
    return caller


def _origin_lookup(app: Litestar) -> Any:
    async def is_allowed(origin: str, readers: Readers, parameters: Mapping[str, str]) -> bool:
        directory: SiteDirectory = app.state.services.directory
        if readers is not Readers.SITE:
            return await directory.is_origin_of_any(origin)
        site = await directory.find(parameters.get("site", ""))
        return site is not None and origin in site.origins

    return is_allowed
