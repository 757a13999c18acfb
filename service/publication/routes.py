"""The public routes."""

import re
from typing import Annotated, Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ASGIApp
from msgspec import Meta

from service.errors import NotFound, RateLimited
from service.http.answers import respond
from service.http.docs import HTML, Headers, PathTypes, Readers, describe_header
from service.http.faults import Faults
from service.http.handlers import name_error
from service.http.pages import show_error
from service.http.reading import AppRequest, query_values, read_query
from service.http.routing import Router
from service.publication import operations
from service.publication.answers import CACHED, CONDITIONAL, fragment_policy, give_kept
from service.publication.avatars import SEED_HEX_CHARS, draw_avatar
from service.publication.feed import ATOM
from service.publication.fragments import find_ways_back
from service.publication.listing import read_article, read_window
from service.publication.live import Live, StreamPosition
from service.publication.pages import Pages
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
from service.services import Services
from service.sites.directory import KnownSite

SVG = "image/svg+xml"
_SEED = re.compile(rf"[0-9a-f]{{{SEED_HEX_CHARS}}}")
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


@get("/comments", query=ListComments, answers={200: CommentPage, 304: None})
async def list_comments(
    request: AppRequest,
    site: FromPath[str],
    services: NamedDependency[Services],
    pages: NamedDependency[Pages],
) -> Response[Any]:
    """List the visible comments of an article, page by page."""
    known = await services.directory.get(site)
    with Faults() as faults:
        wanted = read_query(request, ListComments, faults)
        window = read_window(known, wanted, faults)
    return give_kept(
        request, services, await operations.list_comments(pages, known, wanted, window)
    )


@get(
    "/comments/stream",
    query=StreamComments,
    headers=RESUMING,
    answers={200: EVENT_STREAM},
    answer_headers={},
    problems=(RateLimited,),
)
async def stream_comments(
    request: AppRequest,
    site: FromPath[str],
    services: NamedDependency[Services],
    pages: NamedDependency[Pages],
    live: NamedDependency[Live],
) -> ASGIApp:
    """Tell what changes in public of an article: `approved` with the comment, `removed` with its id.

    The id of an event is a revision of the article; a client that comes back with it misses nothing.
    """
    known = await services.directory.get(site)
    with Faults() as faults:
        wanted = read_query(request, StreamComments, faults)
        key = read_article(known, wanted.article, faults) or ""
    after = _read_revision(request.headers.get("last-event-id"), wanted.after)
    return CommentStream(
        services,
        pages,
        live,
        site=known,
        key=key,
        start=None if after is None else StreamPosition(after),
        prefix=services.client_prefix(request),
    )


def _read_revision(last_event: str | None, after: int | None) -> int | None:
    """Give the revision that a client knows; what never was an event's id is as if it were not there."""
    return int(last_event) if last_event and _REVISION.fullmatch(last_event) else after


@get("/comments/{comment:str}", answers={200: PublicComment, 304: None})
async def show_comment(
    request: AppRequest,
    site: FromPath[str],
    comment: FromPath[str],
    services: NamedDependency[Services],
    pages: NamedDependency[Pages],
) -> Response[Any]:
    """Show one visible comment."""
    known = await services.directory.get(site)
    return give_kept(request, services, await operations.show_comment(pages, known, comment))


@get("/comments.html", query=ShowFragment, answers={200: HTML, 304: None}, page_problems=True)
async def show_fragment(
    request: AppRequest,
    site: FromPath[str],
    services: NamedDependency[Services],
    pages: NamedDependency[Pages],
) -> Response[Any]:
    """Show the comments of an article as HTML with the form; it needs no script.

    What is asked for with `view=page` is refused as a page as well.
    """
    known: KnownSite | None = None
    public_url = services.settings.public_url
    try:
        known = await services.directory.get(site)
        with Faults() as faults:
            wanted = read_query(request, ShowFragment, faults)
            window = read_window(known, wanted, faults)
        entry = await operations.show_fragment(pages, known, wanted, window, public_url)
    except Exception as error:
        if query_values(request).get("view") != "page":
            raise
        # Whoever has it in a frame would see nothing else of what is wrong.
        refusal, error_id = name_error(request, error)
        ways = find_ways_back(known, query_values(request), refusal, public_url)
        return show_error(refusal, error_id, fragment_policy(known, public_url), ways)
    return give_kept(request, services, entry, HTML, fragment_policy(known, public_url))


@get("/counts", query=CountComments, answers={200: Counts, 304: None})
async def count_comments(
    request: AppRequest,
    site: FromPath[str],
    services: NamedDependency[Services],
    pages: NamedDependency[Pages],
) -> Response[Any]:
    """Count the visible comments of up to a hundred articles at once."""
    known = await services.directory.get(site)
    wanted = read_query(request, CountComments, lists=("article",))
    return give_kept(request, services, await operations.count_comments(pages, known, wanted))


@get("/comments.atom", query=ShowFeed, answers={200: ATOM, 304: None})
async def show_feed(
    request: AppRequest,
    site: FromPath[str],
    services: NamedDependency[Services],
    pages: NamedDependency[Pages],
) -> Response[Any]:
    """Show the newest visible comments of an article, or of the whole site, as an Atom feed."""
    known = await services.directory.get(site)
    with Faults() as faults:
        wanted = read_query(request, ShowFeed, faults)
        key = read_article(known, wanted.article, faults)
    # Without an article it is the feed of the whole site.
    entry = await operations.show_feed(pages, known, key, services.settings.public_url)
    return give_kept(request, services, entry, f"{ATOM}; charset=utf-8")


@get("/{file:str}", path_types=PathTypes(file=AvatarFile), answers={200: SVG})
async def show_avatar(file: FromPath[str]) -> Response[Any]:
    """Draw the avatar that belongs to a name, whose hash it is called by."""
    seed = file.removesuffix(".svg")
    if not file.endswith(".svg") or not _SEED.fullmatch(seed):
        raise NotFound
    # The same seed is drawn the same for ever, so a copy never has to be asked about again.
    return respond(
        draw_avatar(seed), SVG, headers={"Cache-Control": "public, max-age=31536000, immutable"}
    )


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
