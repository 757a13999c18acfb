"""Liveness, readiness and metrics."""

import hmac
import re
from ipaddress import ip_address
from typing import Any

import msgspec
from litestar import Response, get

from service.accounts.guards import read_bearer
from service.database.probing import GONE, State
from service.errors import NotFound
from service.http.answers import answer, respond
from service.http.reading import AppRequest
from service.http.routing import Router
from service.server.draining import DRAIN
from service.services import Services, services_of
from service.telemetry.facts import read_facts

# A database that does not answer a trivial query within this time cannot serve readers either.
PATIENCE_SECONDS = 2.0
# Who scrapes waits for several processes, and for each of them all the metrics would be missing.
SCRAPE_SECONDS = 1.0
# By then a process that was told to stop is gone, and another one may be in its place.
RETRY_AFTER_SECONDS = "5"
# By these a proxy tells that it is one.
FORWARDING = frozenset(
    {"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"}
)
_HOST = re.compile(r"(?:\[([0-9a-fA-F:]+)\]|([a-z0-9.]+))(?::[0-9]+)?")
# The framework adds the charset.
PROMETHEUS = "text/plain; version=1.0.0"


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str


class Readiness(msgspec.Struct, frozen=True, omit_defaults=True):
    """`ready`, `degraded` (pages are served, but limits are counted per process, or nothing can be
    stored), `unavailable`, or `draining` (works still, but is about to stop); parts by name."""

    status: str
    parts: dict[str, str] | None = None


@get("/health/live", answers={200: Alive})
async def show_liveness() -> Response[Any]:
    """Say that the process answers."""
    return answer(Alive("alive"))


@get("/health/ready", answers={200: Readiness, 503: Readiness})
async def show_readiness(request: AppRequest) -> Response[Any]:
    """Say whether the service can do its work; details only for loopback or the metrics token."""
    services = services_of(request)
    database = await services.database.probe.state(PATIENCE_SECONDS)
    limiter = "off"
    if services.settings.redis_url:
        limiter = "degraded" if await services.limiter.check() else "ok"
    status = _sum_up(database, limiter)
    parts = {"database": database, "redis": limiter} if _is_trusted(request, services) else None
    if status in {"draining", "unavailable"}:
        return answer(Readiness(status, parts), 503, {"Retry-After": RETRY_AFTER_SECONDS})
    return answer(Readiness(status, parts))


def _sum_up(database: State, limiter: str) -> str:
    if DRAIN.has_begun:
        return "draining"
    if database in GONE:
        return "unavailable"
    # Where nothing can be stored pages are served still, and no other process would store anything either.
    return "degraded" if database != "ok" or limiter == "degraded" else "ready"


@get("/metrics", answers={200: "text/plain"}, problems=(NotFound,))
async def show_metrics(request: AppRequest) -> Response[Any]:
    """Give the metrics in Prometheus' text format, for loopback or with the metrics token."""
    services = services_of(request)
    if not _is_trusted(request, services):
        raise NotFound
    found = await read_facts(services.database, SCRAPE_SECONDS)
    return respond(services.metrics.render(*found), PROMETHEUS)


def _is_trusted(request: AppRequest, services: Services) -> bool:
    """Tell whether the caller is on this machine, or has the metrics token.

    Neither a proxy on this machine is one, nor a page whose host's name was made to lead here.
    """
    token = services.settings.metrics_token
    sent = read_bearer(request)
    if token and sent and hmac.compare_digest(sent.encode(), token.encode()):
        return True
    if not FORWARDING.isdisjoint(request.headers.keys()) or request.client is None:
        return False
    asked = _HOST.fullmatch(request.headers.get("host", ""))
    name = (asked[1] or asked[2]) if asked else ""
    return _is_loopback(request.client.host) and (name == "localhost" or _is_loopback(name))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


ROUTERS = [
    Router(
        "/",
        opt={"tag": "Operations"},
        route_handlers=[show_liveness, show_readiness, show_metrics],
    )
]
