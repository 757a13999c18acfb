"""Signing in and out, and one's own tokens."""

from typing import Any

from litestar import Response, delete, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath

from service.accounts.errors import SignInFailed
from service.accounts.guards import (
    LONGEST,
    cookie_name,
    csrf_token,
    read_cookie,
    require_moderator,
    require_still_in,
)
from service.accounts.queries import read_tokens, view_token
from service.accounts.rules import Caller, Role, parse_role
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
from service.accounts.tokens import create_bearer_token, hash_token, revoke_bearer_token
from service.clock import parse_id
from service.errors import Invalid, NotAllowed, NotFound, RateLimited, Unavailable
from service.http.answers import answer, created, no_content
from service.http.docs import Doc, describe_header
from service.http.reading import AppRequest, read_command, read_query
from service.http.wire import Id
from service.privacy.addresses import check_address
from service.services import Services


@post(
    "/v1/session",
    opt=Doc(
        tag="Session",
        body=SignIn,
        answers={200: SignedIn},
        answer_headers={"Set-Cookie": describe_header("The session's cookie.", always=True)},
        problems=(SignInFailed, Invalid, RateLimited, Unavailable),
    ).as_opt(),
)
async def create_session(request: AppRequest, services: NamedDependency[Services]) -> Response[Any]:
    """Sign in with an address and a password; the answer sets a cookie."""
    command = await read_command(request, SignIn)
    prefix = services.client_prefix(request)
    address = check_address(command.email)
    moderator, token = await sign_in(
        services,
        address,
        command.password,
        prefix=prefix,
        instead_of=read_cookie(request, services),
    )
    async with services.reading() as session:
        keyring = await services.vault.keyring(session)
    signed_in = SignedIn(
        ModeratorRef(str(moderator.id), moderator.name), csrf_token(keyring, hash_token(token))
    )
    response: Response[Any] = answer(signed_in)
    response.set_cookie(session_cookie(services, token))
    return response


def session_cookie(services: Services, token: str) -> Cookie:
    """Make the cookie of a session; an empty token ends it."""
    return Cookie(
        key=cookie_name(services),
        value=token,
        path="/",
        httponly=True,
        secure=services.settings.is_https,
        samesite="lax",
        max_age=int(LONGEST.total_seconds()) if token else 0,
    )


@delete(
    "/v1/session",
    guards=[require_moderator],
    status_code=200,
    opt=Doc(tag="Session", answers={204: None}).as_opt(),
)
async def delete_session(
    request: AppRequest, services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """Sign out: the session ends at once. A bearer token has no session and is not ended by this."""
    if caller.session_hash:
        async with services.writing() as session:
            await sign_out(session, caller.session_hash)
    response: Response[Any] = no_content()
    response.set_cookie(session_cookie(services, ""))
    return response


@get(
    "/v1/tokens",
    guards=[require_moderator],
    opt=Doc(
        tag="Tokens",
        query=ListTokens,
        answers={200: TokenList},
        problems=(NotAllowed, NotFound, Invalid),
    ).as_opt(),
)
async def list_tokens(
    request: AppRequest, services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """List one's own bearer tokens, or as an admin those of a `moderator`, without their texts."""
    caller.require_whole()
    wanted = read_query(request, ListTokens).moderator
    moderator_id = caller.moderator_id if wanted is None else parse_id(wanted)
    if moderator_id is None or not (caller.is_admin or moderator_id == caller.moderator_id):
        raise NotFound
    async with services.reading() as session:
        return answer(TokenList(await read_tokens(session, moderator_id)))


@post(
    "/v1/tokens",
    guards=[require_moderator],
    opt=Doc(
        tag="Tokens",
        body=CreateToken,
        answers={201: TokenMade},
        problems=(NotAllowed, NotFound, Invalid),
    ).as_opt(),
)
async def create_token(
    request: AppRequest, services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """Make a bearer token for oneself, for one site and a lower role if these are named."""
    caller.require_whole()
    command = await read_command(request, CreateToken)
    role = parse_role(command.role) if command.role else None
    site = await services.directory.get(command.site) if command.site is not None else None
    if site:
        caller.require(site.id, role or Role.VIEWER)
    if why := caller.opens_nothing(site.id if site else None, role):
        raise NotAllowed(f"No token was made: {why}.")
    async with services.changing(caller.moderator_id) as work:
        await require_still_in(work.session, caller)
        site_id = site.id if site else None
        token, text = await create_bearer_token(
            work, caller.moderator_id, name=command.name, site_id=site_id, role=role
        )
    made = TokenMade(text, view_token(token, command.site))
    return created(made, f"/v1/tokens/{token.id}")


@get(
    "/v1/tokens/{token:str}",
    guards=[require_moderator],
    opt=Doc(
        tag="Tokens",
        path={"token": Id},
        answers={200: TokenView},
        problems=(NotAllowed, NotFound),
    ).as_opt(),
)
async def show_token(
    token: FromPath[str], services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """Show one of one's own tokens by its id, or as an admin anybody's, without its text."""
    caller.require_whole()
    token_id = parse_id(token)
    of = None if caller.is_admin else caller.moderator_id
    async with services.reading() as session:
        found = await read_tokens(session, of, only=token_id) if token_id else []
    if not found:
        raise NotFound
    return answer(found[0])


@delete(
    "/v1/tokens/{token:str}",
    guards=[require_moderator],
    status_code=200,
    opt=Doc(
        tag="Tokens", path={"token": Id}, answers={204: None}, problems=(NotAllowed, NotFound)
    ).as_opt(),
)
async def revoke_token(
    token: FromPath[str], services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """Revoke one of one's own tokens by its id, or as an admin anybody's; it ends at once."""
    caller.require_whole()
    token_id = parse_id(token)
    if token_id is None:
        raise NotFound
    of = None if caller.is_admin else caller.moderator_id
    async with services.changing(caller.moderator_id) as work:
        await revoke_bearer_token(work, token_id, of=of)
    return no_content()


ROUTES = [create_session, delete_session, list_tokens, create_token, show_token, revoke_token]
