"""The guard in front of every route of moderators: who is it, and did the request come from our own page?"""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from sqlalchemy import Row, Select, UpdateBase, bindparam, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, update
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.credentials import hash_token, lock_moderator
from service.accounts.rules import Caller, Role, parse_role
from service.accounts.tables import BearerToken, Membership, Moderator, SignInSession
from service.database.faults import UNWRITABLE, name_fault
from service.errors import CsrfTokenMissing, NotSignedIn
from service.http.forms import FORMS
from service.http.reading import AppRequest, media_type, read_body, read_fields, read_origin
from service.privacy.vault import Keyring
from service.services import Services, services_of
from service.sites.directory import KnownSite

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=30)
# A stamp is for people who look for unused credentials: to the minute is enough, and costs few writes.
STAMP_EVERY = timedelta(minutes=1)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def _find_holder(credential: Any, *columns: Any) -> Select[Any]:
    """Look up a credential with whose it is: a row for each role, or one where there is none.

    Of an account that is disabled or removed there is no row.
    """
    return (
        select(
            *columns,
            credential.last_used_at,
            col(Moderator.id).label("moderator_id"),
            col(Moderator.name),
            col(Moderator.is_admin),
            col(Membership.site_id).label("member_of"),
            col(Membership.role).label("held_role"),
        )
        .join_from(credential, Moderator, col(Moderator.id) == credential.moderator_id)
        .outerjoin(Membership, col(Membership.moderator_id) == col(Moderator.id))
        .where(
            credential.token_hash == bindparam("token_hash"),
            col(Moderator.disabled_at).is_(None),
            col(Moderator.removed_at).is_(None),
        )
    )


_BY_TOKEN = _find_holder(
    BearerToken, col(BearerToken.id), col(BearerToken.site_id), col(BearerToken.role)
).where(col(BearerToken.revoked_at).is_(None))
_BY_SESSION = _find_holder(SignInSession, col(SignInSession.created_at))


async def require_moderator(
    connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler
) -> None:
    """Let only known moderators pass and leave the Caller in the request's state.

    What changes something goes by who the caller is once the whole body is there.
    Raises NotSignedIn or CsrfTokenMissing.
    """
    assert isinstance(connection, Request)  # noqa: S101 - Routes are HTTP, which mypy cannot know.
    connection.state.caller = await _find_caller(connection)
    if connection.method not in SAFE_METHODS:
        # A body may be half a minute on its way, and what was true of its sender is so no more. First asked
        # without it, so that no stranger has us read anything.
        await read_body(connection)
        connection.state.caller = await _find_caller(connection)


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


async def _find_caller(request: AppRequest) -> Caller:
    services = services_of(request)
    if (token := read_bearer(request)) is not None:
        return await _by_token(services, token)
    caller, keyring = await _by_cookie(services, read_cookie(request, services))
    if request.method not in SAFE_METHODS:
        await _require_own_page(services, request, keyring, caller)
    return caller


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


def csrf_token(keyring: Keyring, session_hash: bytes) -> str:
    """Derive the CSRF token of a session, so that nothing is stored for it."""
    return keyring.mac("csrf", session_hash).hex()


async def _by_token(services: Services, text: str) -> Caller:
    async with services.reading() as session:
        rows = await _read_holder(session, _BY_TOKEN, hash_token(text))
    if not rows:
        raise NotSignedIn("The bearer token is unknown or was revoked.")
    token, now = rows[0], services.clock()
    if token.last_used_at is None or abs(now - token.last_used_at) > STAMP_EVERY:
        chosen = update(BearerToken).where(col(BearerToken.id) == token.id)
        await _stamp(services, chosen.values(last_used_at=now))
    ceiling = parse_role(token.role) if token.role else Role.OWNER
    return _make_caller(rows, only_site=token.site_id, ceiling=ceiling, token_id=token.id)


async def _by_cookie(services: Services, cookie: str | None) -> tuple[Caller, Keyring]:
    if not cookie:
        raise NotSignedIn
    now, session_hash = services.clock(), hash_token(cookie)
    async with services.reading() as session:
        rows = await _read_holder(session, _BY_SESSION, session_hash)
        if not rows or not is_alive(rows[0].created_at, rows[0].last_used_at, now):
            raise NotSignedIn("The session has ended. Sign in again.")
        keyring = await services.vault.keyring(session)
    # A stamp that lies ahead, of a clock that was, is put right as well.
    if abs(now - rows[0].last_used_at) > STAMP_EVERY:
        chosen = update(SignInSession).where(col(SignInSession.token_hash) == session_hash)
        await _stamp(services, chosen.values(last_used_at=now))
    return _make_caller(rows, session_hash=session_hash), keyring


async def _read_holder(
    session: AsyncSession, query: Select[Any], token_hash: bytes
) -> Sequence[Row[Any]]:
    connection = await session.connection()
    found = await connection.execute(query, {"token_hash": token_hash})
    rows: Sequence[Row[Any]] = found.all()
    return rows


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


async def _stamp(services: Services, statement: UpdateBase) -> None:
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


async def _require_own_page(
    services: Services, request: AppRequest, keyring: Keyring, caller: Caller
) -> None:
    sent = request.headers.get("x-csrf-token")
    if sent is None and media_type(request) in FORMS:
        sent = (await read_fields(request)).get("_csrf")
    expected = csrf_token(keyring, caller.session_hash or b"")
    is_ours = services.is_own_origin(request, read_origin(request))
    if not is_ours or not hmac.compare_digest(expected.encode(), str(sent or "").encode()):
        raise CsrfTokenMissing
