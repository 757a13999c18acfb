"""Signing in and out, and one's own tokens."""

from typing import Any
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath

from service.accounts import operations
from service.accounts.credentials import hash_token, revoke_bearer_token
from service.accounts.errors import SignInFailed
from service.accounts.guards import (
    LONGEST,
    caller_of,
    cookie_name,
    make_csrf_token,
    read_cookie,
    require_moderator,
)
from service.accounts.queries import read_tokens, view_token
from service.accounts.rules import parse_role, require_id
from service.accounts.schemas import (
    CreateToken,
    ListTokens,
    ModeratorRef,
    SignedIn,
    SignIn,
    TokenList,
    TokenMade,
    TokenView,
)
from service.accounts.sessions import sign_in, sign_out
from service.errors import NotAllowed, NotFound, RateLimited
from service.http.answers import answer, created, no_content
from service.http.docs import PathTypes, describe_header
from service.http.reading import AppRequest, read_command, read_query
from service.http.routing import Router
from service.http.wire import Id
from service.services import Services, services_of


@post(
    "/",
    body=SignIn,
    answers={200: SignedIn},
    answer_headers={"Set-Cookie": describe_header("The session's cookie.", always=True)},
    problems=(SignInFailed, RateLimited),
)
async def create_session(request: AppRequest) -> Response[Any]:
    """Sign in with an address and a password; the answer sets a cookie."""
    services, command = services_of(request), await read_command(request, SignIn)
    prefix, instead_of = services.client_prefix(request), read_cookie(request, services)
    moderator, token = await sign_in(services, command, prefix=prefix, instead_of=instead_of)
    who = ModeratorRef(str(moderator.id), moderator.name)
    csrf = await make_csrf_token(services, hash_token(token))
    return with_session(services, token, answer(SignedIn(who, csrf)))


def with_session(services: Services, token: str, response: Response[Any]) -> Response[Any]:
    """Let an answer set the cookie of a session; an empty token ends it."""
    cookie = Cookie(
        key=cookie_name(services),
        value=token,
        path="/",
        httponly=True,
        secure=services.settings.is_https,
        samesite="lax",
        max_age=int(LONGEST.total_seconds()) if token else 0,
    )
    response.set_cookie(cookie)
    return response


@delete("/", answers={204: None})
async def delete_session(request: AppRequest) -> Response[None]:
    """Sign out: the session ends at once. A bearer token has no session and is not ended by this."""
    services = services_of(request)
    await sign_out(services, caller_of(request))
    return with_session(services, "", no_content())


@get("/", query=ListTokens, answers={200: TokenList}, problems=(NotFound,))
async def list_tokens(request: AppRequest) -> Response[Any]:
    """List one's own bearer tokens, or as an admin those of a `moderator`, without their texts."""
    caller = caller_of(request)
    caller.require_whole()
    wanted = read_query(request, ListTokens).moderator
    moderator_id = caller.moderator_id if wanted is None else require_id(wanted)
    if not (caller.is_admin or moderator_id == caller.moderator_id):
        raise NotFound
    async with services_of(request).reading() as session:
        found = await read_tokens(session, of=moderator_id)
    return answer(TokenList([view_token(token, slug) for token, _, slug in found]))


@post("/", body=CreateToken, answers={201: TokenMade}, problems=(NotFound,))
async def create_token(request: AppRequest) -> Response[Any]:
    """Make a bearer token for oneself, for one site and a lower role if these are named."""
    services, caller = services_of(request), caller_of(request)
    caller.require_whole()
    command = await read_command(request, CreateToken)
    role = parse_role(command.role) if command.role else None
    site = await services.directory.get(command.site) if command.site is not None else None
    site_id = site.id if site else None
    token, text = await operations.create_token(services, caller, command.name, site_id, role)
    made = TokenMade(text, view_token(token, command.site))
    return created(made, f"/v1/tokens/{token.id}")


@get("/{token:str}", answers={200: TokenView})
async def show_token(request: AppRequest, token: FromPath[str]) -> Response[Any]:
    """Show one of one's own tokens by its id, or as an admin anybody's, without its text."""
    of, token_id = whose_token(request), require_id(token)
    async with services_of(request).reading() as session:
        found = await read_tokens(session, of=of, only=token_id)
    if not found:
        raise NotFound
    [(shown, _, slug)] = found
    return answer(view_token(shown, slug))


@delete("/{token:str}", answers={204: None})
async def revoke_token(request: AppRequest, token: FromPath[str]) -> Response[None]:
    """Revoke one of one's own tokens by its id, or as an admin anybody's; it ends at once."""
    of, token_id = whose_token(request), require_id(token)
    async with services_of(request).changing(caller_of(request).moderator_id) as work:
        await revoke_bearer_token(work, token_id, of=of)
    return no_content()


def whose_token(request: AppRequest) -> UUID | None:
    """Give the moderator whose tokens the caller may name, or None for anybody's; raises NotAllowed."""
    caller = caller_of(request)
    caller.require_whole()
    return None if caller.is_admin else caller.moderator_id


ROUTERS = [
    # Who signs in is not signed in yet.
    Router("/v1/session", opt={"tag": "Session"}, route_handlers=[create_session]),
    Router(
        "/v1/session",
        guards=[require_moderator],
        opt={"tag": "Session"},
        route_handlers=[delete_session],
    ),
    Router(
        "/v1/tokens",
        guards=[require_moderator],
        opt={"tag": "Tokens", "path_types": PathTypes(token=Id), "common": (NotAllowed,)},
        route_handlers=[list_tokens, create_token, show_token, revoke_token],
    ),
]
