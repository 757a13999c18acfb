"""The application: its routers in the order in which a comment meets them are the table of contents."""

import gc
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from litestar import Litestar
from litestar.types import ASGIApp

from service.accounts.member_routes import ROUTERS as MEMBERS
from service.accounts.moderator_routes import ROUTERS as MODERATORS
from service.accounts.routes import ROUTERS as SESSION_AND_TOKENS
from service.accounts.site_routes import ROUTERS as SITES
from service.clock import Clock, read_clock
from service.http.edge import Edge
from service.http.handlers import EXCEPTION_HANDLERS
from service.http.openapi.document import describe_api
from service.http.reading import MAX_BODY_BYTES
from service.http.routing import RouteTable
from service.moderation.routes import ROUTERS as MODERATION
from service.process import Process
from service.publication.routes import ROUTERS as PUBLICATION
from service.rate_limiting.in_process import monotonic_us
from service.receipts.routes import ROUTERS as RECEIPTS
from service.settings import Settings, load_settings
from service.submission.routes import ROUTERS as SUBMISSION
from service.telemetry.logs import configure_logs
from service.telemetry.routes import ROUTERS as STATUS
from service.web.files import ROUTERS as FILES
from service.web.moderation_page import ROUTERS as MODERATION_PAGE
from service.web.reference import ROUTERS as REFERENCE
from service.web.sign_in import ROUTERS as SIGN_IN

# Each router has the prefix, the guard and the tag of its routes.
ROUTERS = [
    *SUBMISSION,
    *MODERATION,
    *PUBLICATION,
    *RECEIPTS,
    *SESSION_AND_TOKENS,
    *MODERATORS,
    *SITES,
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
    extra_routes: Sequence[Any] = (),
) -> ASGIApp:
    """Make the service as an ASGI app; without settings they are read from the environment.

    `clock` stamps what is stored; `now_us` is what limits within the process go by, in microseconds.

    The parts are made when the server starts it up, which raises SettingsInvalid for a wrong secret key and
    SchemaOutdated for a database that has to be migrated first.
    """
    framework, table, openapi = build_framework(extra_routes) if extra_routes else _share_framework()
    process = Process(settings or load_settings(), clock, now_us, openapi)
    return Edge(framework, table, process)


@cache
def _share_framework() -> tuple[Litestar, RouteTable, bytes]:
    return build_framework()


def build_framework(extra_routes: Sequence[Any] = ()) -> tuple[Litestar, RouteTable, bytes]:
    """Put the routes together, with their table and their OpenAPI document.

    What a process has comes with each request, so any number of processes may share this.
    """
    app = Litestar(
        [*ROUTERS, *extra_routes],
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=None,
        logging_config=None,
        request_max_body_size=MAX_BODY_BYTES,
    )
    table = RouteTable(app.routes)
    return app, table, describe_api(table)


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
    request up for 50 to 130 ms. What a request makes mostly dies by itself, so passes may be rarer, too.
    Without this the collector takes 21 % of a submission's CPU in place of 4 % (decision 31).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 50)
