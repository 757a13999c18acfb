"""The guard in front of every route of moderators: who is it, and did the request come from our own page?"""

import asyncio
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from sqlalchemy import Row, UpdateBase
from sqlalchemy.exc import DBAPIError
from sqlmodel import update
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.credentials import hash_token, lock_moderator
from service.accounts.queries import BY_SESSION, BY_TOKEN, read_holder
from service.accounts.rules import Caller, Role, parse_role
from service.accounts.tables import BearerToken, SignInSession
from service.database.faults import UNWRITABLE, name_fault
from service.errors import CsrfTokenMissing, NotSignedIn
from service.http.forms import FORMS
from service.http.reading import AppRequest, media_type, read_body, read_fields, read_origin
from service.services import Services, services_of
from service.sites.directory import KnownSite

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=30)
# A stamp is for people who look for unused credentials: to the minute is enough, and costs few writes.
STAMP_EVERY = timedelta(minutes=1)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


async def require_moderator(
    connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler
) -> None:
    """Let only known moderators pass and leave the Caller in the request's state.

    What changes something goes by who the caller is once the whole body is there.
    Raises NotSignedIn or CsrfTokenMissing.
    """
    # All guarded routes are HTTP, so that it is a request.
    connection = cast(AppRequest, connection)
    caller, stamp = await _find_caller(connection)
    # Set as soon as anything else has had its turn.
    others = asyncio.Event()
    asyncio.get_running_loop().call_soon(others.set)
    if stamp is not None:
        await _write_stamp(services_of(connection), stamp)
    if connection.method not in SAFE_METHODS:
        if caller.session_hash:
            await _require_own_page(connection, caller.session_hash)
        # Not before, so that no stranger has us read anything.
        await read_body(connection)
        if others.is_set():
            # A body may be half a minute on its way, and what was true of its sender is so no more. While
            # one is read that is there already nothing can happen.
            caller, _ = await _find_caller(connection)
    connection.state.caller = caller


def caller_of(request: AppRequest) -> Caller:
    """Give who sends a request, whom the guard has let pass."""
    caller: Caller = request.state.caller
    return caller


async def require_site(request: AppRequest, slug: str, role: Role) -> KnownSite:
    """Give a site on which the caller has a role; raises NotFound or NotAllowed."""
    site = await services_of(request).directory.get(slug)
    caller_of(request).require(site.id, role)
    return site


async def require_changeable(request: AppRequest, slug: str, role: Role) -> KnownSite:
    """Give a site that the caller may change from the page that asks; raises OriginNotAllowed too."""
    site = await require_site(request, slug, role)
    services_of(request).require_origin(request, site)
    return site


async def _find_caller(request: AppRequest) -> tuple[Caller, UpdateBase | None]:
    """Find who calls, and how to note that the credential was used, where that is due."""
    services = services_of(request)
    if (token := read_bearer(request)) is not None:
        return await _by_token(services, token)
    return await _by_cookie(services, read_cookie(request, services))


def read_bearer(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    """Read the token of an `Authorization: Bearer`; None when there is none or another scheme."""
    scheme, _, credentials = connection.headers.get("authorization", "").partition(" ")
    # RFC 9110, section 11.1: the name of a scheme has no case.
    return credentials.strip() if scheme.lower() == "bearer" else None


def cookie_name(services: Services) -> str:
    """Name the session's cookie; the prefix binds it to this very host where https allows it."""
    return "__Host-greenroom" if services.settings.is_https else "greenroom"


def read_cookie(connection: ASGIConnection[Any, Any, Any, Any], services: Services) -> str | None:
    """Read the token of the session that a browser has, alive or not.

    By our own hands: the framework keeps in memory all cookies that were ever sent, however long they are.
    """
    name = cookie_name(services)
    for pair in ";".join(connection.headers.getall("cookie", [])).split(";"):
        found, _, value = pair.partition("=")
        if found.strip() == name:
            return value.strip().strip('"')
    return None


async def make_csrf_token(services: Services, session_hash: bytes) -> str:
    """Derive the CSRF token of a session, so that nothing is stored for it."""
    keyring = services.vault.fresh()
    if keyring is None:
        async with services.reading() as session:
            keyring = await services.vault.keyring(session)
    return keyring.mac("csrf", session_hash).hex()


async def _by_token(services: Services, text: str) -> tuple[Caller, UpdateBase | None]:
    async with services.reading() as session:
        rows = await read_holder(session, BY_TOKEN, hash_token(text))
    if not rows:
        raise NotSignedIn("The bearer token is unknown or was revoked.")
    token = rows[0]
    ceiling = parse_role(token.role) if token.role else Role.OWNER
    caller = _make_caller(rows, only_site=token.site_id, ceiling=ceiling, token_id=token.id)
    return caller, _stamp(BearerToken, hash_token(text), token.last_used_at, services.clock())


async def _by_cookie(services: Services, cookie: str | None) -> tuple[Caller, UpdateBase | None]:
    if not cookie:
        raise NotSignedIn
    now, session_hash = services.clock(), hash_token(cookie)
    async with services.reading() as session:
        rows = await read_holder(session, BY_SESSION, session_hash)
    if not rows or not is_alive(rows[0].created_at, rows[0].last_used_at, now):
        raise NotSignedIn("The session has ended. Sign in again.")
    stamp = _stamp(SignInSession, session_hash, rows[0].last_used_at, now)
    return _make_caller(rows, session_hash=session_hash), stamp


def _stamp(
    credential: Any, token_hash: bytes, last_used_at: datetime | None, now: datetime
) -> UpdateBase | None:
    # A stamp that lies ahead, of a clock that was, is put right as well.
    if last_used_at is not None and abs(now - last_used_at) <= STAMP_EVERY:
        return None
    return update(credential).where(credential.token_hash == token_hash).values(last_used_at=now)


def _make_caller(rows: Sequence[Row[Any]], **reach: Any) -> Caller:
    return Caller(
        moderator_id=rows[0].moderator_id,
        name=rows[0].name,
        is_admin=rows[0].is_admin,
        roles={row.member_of: parse_role(row.held_role) for row in rows if row.member_of},
        **reach,
    )


async def require_still_in(session: AsyncSession, caller: Caller) -> None:
    """Lock the caller's account, and raise NotSignedIn where the credentials have ended since the guard.

    For whatever makes new ones of the same account: a way in that has ended must not leave another behind.
    """
    moderator = await lock_moderator(session, caller.moderator_id)
    if caller.session_hash:
        is_alive_still = await session.get(SignInSession, caller.session_hash) is not None
    else:
        token = await session.get(BearerToken, caller.token_id)
        is_alive_still = token is not None and token.revoked_at is None
    if not is_alive_still or moderator.disabled_at is not None:
        raise NotSignedIn("These credentials have just ended. Sign in again.")


async def _write_stamp(services: Services, statement: UpdateBase) -> None:
    """Note that a credential was used; where nothing can be written it is good all the same."""
    try:
        async with services.writing() as session:
            await session.exec(statement)
    except DBAPIError as error:
        if name_fault(error) not in UNWRITABLE:
            raise


def is_alive(created_at: datetime, last_used_at: datetime, now: datetime) -> bool:
    """Tell whether a session was used within 12 hours and began within 30 days.

    One of a clock that was further ahead than that would else live until then.
    """
    return abs(now - last_used_at) < IDLE and -IDLE < now - created_at < LONGEST


async def _require_own_page(request: AppRequest, session_hash: bytes) -> None:
    services, sent = services_of(request), request.headers.get("x-csrf-token")
    if sent is None and media_type(request) in FORMS:
        sent = (await read_fields(request)).get("_csrf")
    expected = await make_csrf_token(services, session_hash)
    is_ours = services.is_own_origin(request, read_origin(request))
    if not is_ours or not hmac.compare_digest(expected.encode(), str(sent or "").encode()):
        raise CsrfTokenMissing
