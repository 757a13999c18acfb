"""The public routes."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ASGIApp
from msgspec import Meta

from service.errors import NotFound, RateLimited
from service.http.answers import respond
from service.http.docs import HTML, Headers, PathTypes, Readers, describe_header
from service.http.faults import Faults
from service.http.handlers import name_error
from service.http.pages import show_error
from service.http.reading import JSON, AppRequest, query_values, read_query
from service.http.routing import Router
from service.http.running import process_of
from service.http.stored import StoredResponse, encode_headers
from service.publication import operations
from service.publication.avatars import SEED_HEX_CHARS, draw_avatar
from service.publication.cache.read_through import Cache
from service.publication.cache.store import Entry
from service.publication.feed import ATOM
from service.publication.fragments import find_ways_back, fragment_policy
from service.publication.listing import read_article, read_window
from service.publication.live import StreamPosition
from service.publication.schemas import (
    MAX_REVISION,
    CommentPage,
    CountComments,
    Counts,
    ListComments,
    PublicComment,
    ShowFeed,
    ShowFragment,
    StreamComments,
)
from service.publication.streams import EVENT_STREAM, CommentStream
from service.services import services_of
from service.sites.directory import KnownSite

SVG = "image/svg+xml"
_SEED = re.compile(rf"[0-9a-f]{{{SEED_HEX_CHARS}}}")
CACHED: Headers = {
    "ETag": describe_header("A strong tag of these very bytes; send it back as If-None-Match.", always=True),
    "Cache-Control": describe_header("How long a shared cache may keep the answer.", always=True),
    "Surrogate-Key": describe_header(
        "The site and each article that the answer tells of, for a cache to be purged by.",
        always=True,
    ),
    "Cache-Tag": describe_header("The same, separated by commas.", always=True),
}
CONDITIONAL: Headers = {
    "If-None-Match": describe_header("The ETag of a copy at hand: 304 says that it is still good.")
}
RESUMING: Headers = {
    "Last-Event-ID": describe_header(
        "The id of the last event; it counts before `after`, and what is no such id is as if absent."
    )
}
_REVISION = re.compile(f"[0-9]{{1,{len(str(MAX_REVISION))}}}")
AvatarFile = Annotated[
    str,
    Meta(
        pattern=rf"^[0-9a-f]{{{SEED_HEX_CHARS}}}\.svg$",
        description="From the `avatar` of a comment.",
        examples=["0f3a5c7e9b1d2f4a.svg"],
    ),
]


def cache_of(request: AppRequest) -> Cache:
    """Give the cache of the process that answers a request."""
    cache: Cache = process_of(request).cache
    return cache


def _answer(
    request: AppRequest,
    entry: Entry,
    media_type: str = JSON,
    more: Mapping[str, str] | None = None,
) -> StoredResponse:
    """Answer with an entry of the cache, which has its headers from the first time on."""
    if not entry.headers:
        tags = entry.dependencies.surrogate_keys
        max_age = services_of(request).settings.page_max_age_seconds
        entry.headers = encode_headers(
            media_type,
            {
                "cache-control": f"public, max-age=0, s-maxage={max_age}",
                "vary": "Accept-Encoding",
                "surrogate-key": " ".join(tags),
                "cache-tag": ",".join(tags),
                **(more or {}),
            },
        )
    return entry


@get("/comments", query=ListComments, answers={200: CommentPage, 304: None})
async def list_comments(request: AppRequest, site: FromPath[str]) -> ASGIApp:
    """List the visible comments of an article, page by page."""
    known = await services_of(request).directory.get(site)
    with Faults() as faults:
        wanted = read_query(request, ListComments, faults)
        window = read_window(known, wanted, faults)
    return _answer(request, await operations.list_comments(cache_of(request), known, wanted, window))


@get(
    "/comments/stream",
    query=StreamComments,
    headers=RESUMING,
    answers={200: EVENT_STREAM},
    answer_headers={},
    problems=(RateLimited,),
)
async def stream_comments(request: AppRequest, site: FromPath[str]) -> ASGIApp:
    """Tell what changes in public of an article: `approved` with the comment, `removed` with its id.

    The id of an event is a revision of the article; a client that comes back with it misses nothing.
    """
    known = await services_of(request).directory.get(site)
    with Faults() as faults:
        wanted = read_query(request, StreamComments, faults)
        key = read_article(known, wanted.article, faults) or ""
    after = _read_revision(request.headers.get("last-event-id"), wanted.after)
    services = services_of(request)
    return CommentStream(
        services,
        cache_of(request),
        process_of(request).live,
        site=known,
        key=key,
        start=None if after is None else StreamPosition(after),
        prefix=services.client_prefix(request),
    )


def _read_revision(last_event: str | None, after: int | None) -> int | None:
    """Give the revision that a client knows; what never was an event's id is as if it were not there."""
    return int(last_event) if last_event and _REVISION.fullmatch(last_event) else after


@get("/comments/{comment:str}", answers={200: PublicComment, 304: None})
async def show_comment(request: AppRequest, site: FromPath[str], comment: FromPath[str]) -> ASGIApp:
    """Show one visible comment."""
    known = await services_of(request).directory.get(site)
    return _answer(request, await operations.show_comment(cache_of(request), known, comment))


@get("/comments.html", query=ShowFragment, answers={200: HTML, 304: None}, page_problems=True)
async def show_fragment(request: AppRequest, site: FromPath[str]) -> ASGIApp:
    """Show the comments of an article as HTML with the form; it needs no script.

    What is asked for with `view=page` is refused as a page as well.
    """
    known: KnownSite | None = None
    services = services_of(request)
    public_url = services.settings.public_url
    try:
        known = await services.directory.get(site)
        with Faults() as faults:
            wanted = read_query(request, ShowFragment, faults)
            window = read_window(known, wanted, faults)
        cache = cache_of(request)
        entry = await operations.show_fragment(cache, known, wanted, window, public_url)
    except Exception as error:
        if query_values(request).get("view") != "page":
            raise
        # Whoever has it in a frame would see nothing else of what is wrong.
        refusal, error_id = name_error(request, error)
        ways = find_ways_back(known, query_values(request), refusal, public_url)
        page = show_error(refusal, error_id, fragment_policy(known, public_url), ways)
        return page.to_asgi_response(None, request)
    return _answer(request, entry, f"{HTML}; charset=utf-8", fragment_policy(known, public_url))


@get("/counts", query=CountComments, answers={200: Counts, 304: None})
async def count_comments(request: AppRequest, site: FromPath[str]) -> ASGIApp:
    """Count the visible comments of up to a hundred articles at once."""
    known = await services_of(request).directory.get(site)
    wanted = read_query(request, CountComments, lists=("article",))
    return _answer(request, await operations.count_comments(cache_of(request), known, wanted))


@get("/comments.atom", query=ShowFeed, answers={200: ATOM, 304: None})
async def show_feed(request: AppRequest, site: FromPath[str]) -> ASGIApp:
    """Show the newest visible comments of an article, or of the whole site, as an Atom feed."""
    known = await services_of(request).directory.get(site)
    with Faults() as faults:
        wanted = read_query(request, ShowFeed, faults)
        key = read_article(known, wanted.article, faults)
    # Without an article it is the feed of the whole site.
    public_url = services_of(request).settings.public_url
    entry = await operations.show_feed(cache_of(request), known, key, public_url)
    return _answer(request, entry, f"{ATOM}; charset=utf-8")


@get("/{file:str}", path_types=PathTypes(file=AvatarFile), answers={200: SVG})
async def show_avatar(file: FromPath[str]) -> Response[Any]:
    """Draw the avatar that belongs to a name, whose hash it is called by."""
    seed = file.removesuffix(".svg")
    if not file.endswith(".svg") or not _SEED.fullmatch(seed):
        raise NotFound
    # The same seed is drawn the same for ever, so a copy never has to be asked about again.
    return respond(draw_avatar(seed), SVG, headers={"Cache-Control": "public, max-age=31536000, immutable"})


PUBLIC = {"tag": "Public", "readers": Readers.ANYONE}
ROUTERS = [
    Router(
        "/v1/sites/{site:str}",
        opt={**PUBLIC, "headers": CONDITIONAL, "answer_headers": CACHED},
        route_handlers=[
            list_comments,
            show_fragment,
            stream_comments,
            show_comment,
            count_comments,
            show_feed,
        ],
    ),
    Router("/avatars", opt=PUBLIC, route_handlers=[show_avatar]),
]
