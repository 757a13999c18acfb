"""Which pages of other origins may read an answer. No answer ever allows credentials."""

from collections.abc import Awaitable, Callable, Mapping

from litestar.types import HTTPScope
from sqlalchemy.exc import SQLAlchemyError

from service.errors import Unavailable
from service.http.docs import Readers
from service.http.routing import Route

EXPOSED = b"ETag, Retry-After, RateLimit, RateLimit-Policy, Idempotency-Replayed"
ALLOWED_HEADERS = b"Content-Type, Idempotency-Key"
# How long a browser may remember a preflight: short, since a site's origins may change.
PREFLIGHT_SECONDS = b"600"
# Looks up whether an origin may read what a route with these parameters answers.
IsAllowed = Callable[[str, Readers, Mapping[str, str]], Awaitable[bool]]


async def find_cors_headers(
    scope: HTTPScope, route: Route | None, parameters: Mapping[str, str], is_allowed: IsAllowed
) -> dict[bytes, bytes]:
    """Give the headers for a request: none where its origin may not read the answer."""
    if route is None:
        return {}
    sent = {name.lower(): value for name, value in scope["headers"]}
    wanted = sent.get(b"access-control-request-method")
    is_preflight = scope["method"] == "OPTIONS" and wanted is not None
    readers = _readers(route, wanted.decode("latin-1") if is_preflight and wanted else scope["method"])
    if readers is None:
        return {}
    if readers is Readers.ANYONE and not is_preflight:
        return {b"access-control-allow-origin": b"*", b"access-control-expose-headers": EXPOSED}
    # Several, which no browser sends, are together one that is nobody's.
    origins = [value for name, value in scope["headers"] if name.lower() == b"origin"]
    origin = b", ".join(origins).decode("latin-1")
    # An answer that depends on the Origin says so to caches, whether this one is allowed or not.
    varies = {b"vary": b"Origin"}
    try:
        if not origin or not await is_allowed(origin, readers, parameters):
            return varies
    except (SQLAlchemyError, Unavailable):
        # The handler will find the database gone as well, and its answer has to come out.
        return varies
    more = _preflight(route) if is_preflight else {b"access-control-expose-headers": EXPOSED}
    return {**varies, b"access-control-allow-origin": origin.encode("latin-1"), **more}


def _readers(route: Route, method: str) -> Readers | None:
    doc = route.docs.get("GET" if method == "HEAD" else method)
    return doc.readers if doc else None


def _preflight(route: Route) -> dict[bytes, bytes]:
    methods = [method for method in route.methods if _readers(route, method)]
    return {
        b"access-control-allow-methods": ", ".join(methods).encode(),
        b"access-control-allow-headers": ALLOWED_HEADERS,
        b"access-control-expose-headers": EXPOSED,
        b"access-control-max-age": PREFLIGHT_SECONDS,
    }
