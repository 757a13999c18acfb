"""The public routes."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ASGIApp
from msgspec import Meta

from service.errors import Invalid, NotFound, RateLimited
from service.http.answers import respond
from service.http.docs import HTML, Doc, Headers, Readers, describe_header
from service.http.kept import KEPT
from service.http.reading import JSON, AppRequest, read_query
from service.publication import operations
from service.publication.avatars import SEED_HEX_CHARS, draw_avatar
from service.publication.feed import ATOM
from service.publication.live import Live, Position
from service.publication.memory import Entry
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
from service.publication.surrogates import surrogate_keys
from service.services import Services
from service.sites.directory import KnownSite

SVG = "image/svg+xml"
_SEED = re.compile(rf"[0-9a-f]{{{SEED_HEX_CHARS}}}")
CACHED: Headers = {
    "ETag": describe_header(
        "A strong tag of these very bytes; send it back as If-None-Match.", always=True
    ),
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


def _public(
    request: AppRequest,
    services: Services,
    entry: Entry,
    media_type: str = JSON,
    more: Mapping[str, str] | None = None,
) -> Response[Any]:
    """Hand a kept answer to the edge, which sends its bytes, with the headers that it always has."""
    request.scope["state"][KEPT] = entry
    tags = surrogate_keys(entry.basis)
    headers = {
        "Cache-Control": f"public, max-age=0, s-maxage={services.settings.page_max_age_seconds}",
        "Vary": "Accept-Encoding",
        "Surrogate-Key": " ".join(tags),
        "Cache-Tag": ",".join(tags),
        **(more or {}),
    }
    return Response(b"", headers=headers, media_type=media_type)


@get(
    "/v1/sites/{site:str}/comments",
    opt=Doc(
        readers=Readers.ANYONE,
        tag="Public",
        query=ListComments,
        headers=CONDITIONAL,
        answers={200: CommentPage, 304: None},
        answer_headers=CACHED,
        problems=(NotFound, Invalid),
    ).as_opt(),
)
async def list_comments(
    request: AppRequest,
    site: FromPath[str],
    services: NamedDependency[Services],
    pages: NamedDependency[Pages],
) -> Response[Any]:
    """List the visible comments of an article, page by page."""
    known = await services.directory.get(site)
    wanted = read_query(request, ListComments)
    return _public(request, services, await operations.list_comments(pages, known, wanted))


@get(
    "/v1/sites/{site:str}/comments/stream",
    opt=Doc(
        readers=Readers.ANYONE,
        tag="Public",
        query=StreamComments,
        headers=RESUMING,
        answers={200: EVENT_STREAM},
        problems=(NotFound, Invalid, RateLimited),
    ).as_opt(),
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
    wanted = read_query(request, StreamComments)
    [key] = operations.article_keys(known, [wanted.article])
    after = _read_revision(request.headers.get("last-event-id"), wanted.after)
    return CommentStream(
        services,
        pages,
        live,
        site=known,
        key=key,
        start=None if after is None else Position(after),
        prefix=services.client_prefix(request),
    )


def _read_revision(last_event: str | None, after: int | None) -> int | None:
    """Give the revision that a client knows; what never was an event's id is as if it were not there."""
    return int(last_event) if last_event and _REVISION.fullmatch(last_event) else after


@get(
    "/v1/sites/{site:str}/comments/{comment:str}",
    opt=Doc(
        readers=Readers.ANYONE,
        tag="Public",
        headers=CONDITIONAL,
        answers={200: PublicComment, 304: None},
        answer_headers=CACHED,
        problems=(NotFound,),
    ).as_opt(),
)
async def show_comment(
    request: AppRequest,
    site: FromPath[str],
    comment: FromPath[str],
    services: NamedDependency[Services],
    pages: NamedDependency[Pages],
) -> Response[Any]:
    """Show one visible comment."""
    known = await services.directory.get(site)
    return _public(request, services, await operations.show_comment(pages, known, comment))


@get(
    "/v1/sites/{site:str}/comments.html",
    opt=Doc(
        readers=Readers.ANYONE,
        tag="Public",
        query=ShowFragment,
        headers=CONDITIONAL,
        answers={200: HTML, 304: None},
        answer_headers=CACHED,
        problems=(NotFound, Invalid),
    ).as_opt(),
)
async def show_fragment(
    request: AppRequest,
    site: FromPath[str],
    services: NamedDependency[Services],
    pages: NamedDependency[Pages],
) -> Response[Any]:
    """Show the comments of an article as HTML with the form; it needs no script."""
    known = await services.directory.get(site)
    wanted = read_query(request, ShowFragment)
    public_url = services.settings.public_url
    entry = await operations.show_fragment(pages, known, wanted, public_url)
    policy = {"Content-Security-Policy": _fragment_policy(known, public_url)}
    return _public(request, services, entry, HTML, policy)


def _fragment_policy(site: KnownSite, public_url: str) -> str:
    """Let the site's own pages frame the fragment, and its form lead back to them."""
    origins = " ".join(site.origins)
    return (
        f"default-src 'none'; script-src {public_url}; style-src {public_url}; img-src {public_url}; "
        f"base-uri 'none'; form-action {public_url} {origins}; frame-ancestors 'self' {origins}"
    )


@get(
    "/v1/sites/{site:str}/counts",
    opt=Doc(
        readers=Readers.ANYONE,
        tag="Public",
        query=CountComments,
        headers=CONDITIONAL,
        answers={200: Counts, 304: None},
        answer_headers=CACHED,
        problems=(NotFound, Invalid),
    ).as_opt(),
)
async def count_comments(
    request: AppRequest,
    site: FromPath[str],
    services: NamedDependency[Services],
    pages: NamedDependency[Pages],
) -> Response[Any]:
    """Count the visible comments of up to a hundred articles at once."""
    known = await services.directory.get(site)
    wanted = read_query(request, CountComments, lists=("article",))
    return _public(request, services, await operations.count_comments(pages, known, wanted))


@get(
    "/v1/sites/{site:str}/comments.atom",
    opt=Doc(
        readers=Readers.ANYONE,
        tag="Public",
        query=ShowFeed,
        headers=CONDITIONAL,
        answers={200: ATOM, 304: None},
        answer_headers=CACHED,
        problems=(NotFound, Invalid),
    ).as_opt(),
)
async def show_feed(
    request: AppRequest,
    site: FromPath[str],
    services: NamedDependency[Services],
    pages: NamedDependency[Pages],
) -> Response[Any]:
    """Show the newest visible comments of an article, or of the whole site, as an Atom feed."""
    known = await services.directory.get(site)
    wanted = read_query(request, ShowFeed)
    entry = await operations.show_feed(pages, known, wanted, services.settings.public_url)
    return _public(request, services, entry, f"{ATOM}; charset=utf-8")


@get(
    "/avatars/{file:str}",
    opt=Doc(
        readers=Readers.ANYONE,
        tag="Public",
        path={"file": AvatarFile},
        answers={200: SVG},
        problems=(NotFound,),
    ).as_opt(),
)
async def show_avatar(file: FromPath[str]) -> Response[Any]:
    """Draw the avatar that belongs to a name, whose hash it is called by."""
    seed = file.removesuffix(".svg")
    if not file.endswith(".svg") or not _SEED.fullmatch(seed):
        raise NotFound
    # The same seed is drawn the same for ever, so a copy never has to be asked about again.
    return respond(
        draw_avatar(seed), SVG, headers={"Cache-Control": "public, max-age=31536000, immutable"}
    )


ROUTES = [
    list_comments,
    show_fragment,
    stream_comments,
    show_comment,
    count_comments,
    show_feed,
    show_avatar,
]
