"""Signing in with a password, and out."""

from datetime import datetime
from uuid import UUID

from sqlmodel import col, delete
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.credentials import hash_token, lock_moderator, make_token
from service.accounts.errors import SignInFailed
from service.accounts.queries import find_moderator
from service.accounts.rules import Caller
from service.accounts.schemas import SignIn
from service.accounts.tables import Moderator, SignInSession
from service.errors import NotFound
from service.privacy.addresses import check_address
from service.rate_limiting.rules import Limit, Rule
from service.services import Services

SIGN_IN_LIMITS = {"sign_in_ip": Limit(20, 60), "sign_in_account": Limit(5, 60)}


async def sign_in(
    services: Services, command: SignIn, *, prefix: str, instead_of: str | None
) -> tuple[Moderator, str]:
    """Check an address and a password; gives the moderator and the token of a new session.

    The session that the browser had, whose token is `instead_of`, ends. Raises AddressRefused; and
    SignInFailed, RateLimited or Unavailable, in the same time and words whether there is such an account or
    not.
    """
    address, password = check_address(command.email), command.password
    subjects = {"sign_in_ip": prefix, "sign_in_account": f"{address.folded}:{prefix}"}
    await services.charge([Rule(name, limit, subjects[name]) for name, limit in SIGN_IN_LIMITS.items()])
    async with services.reading() as session:
        keyring = await services.vault.keyring(session)
        moderator = await find_moderator(session, keyring, address)
    stored = moderator.password_hash if moderator else None
    if not await services.passwords.verify(stored, password) or moderator is None:
        raise SignInFailed
    async with services.writing() as session:
        # Meanwhile somebody may have set another password, which ends what begins with the old one.
        present = await _lock(session, moderator.id)
        if present.password_hash != stored or present.disabled_at is not None:
            raise SignInFailed
        now = services.clock()
        return present, await start_session(session, present.id, now, instead_of=instead_of)


async def _lock(session: AsyncSession, moderator_id: UUID) -> Moderator:
    try:
        return await lock_moderator(session, moderator_id)
    except NotFound:
        raise SignInFailed from None


async def start_session(
    session: AsyncSession, moderator_id: UUID, now: datetime, *, instead_of: str | None
) -> str:
    """Open a session for a browser and give its token; the one that the browser had before ends."""
    if instead_of:
        await _end_session(session, hash_token(instead_of))
    token = make_token()
    session.add(
        SignInSession(
            token_hash=hash_token(token),
            moderator_id=moderator_id,
            created_at=now,
            last_used_at=now,
        )
    )
    return token


async def sign_out(services: Services, caller: Caller) -> None:
    """End the session of a caller; a bearer token has none."""
    if caller.session_hash:
        async with services.writing() as session:
            await _end_session(session, caller.session_hash)


async def _end_session(session: AsyncSession, session_hash: bytes) -> None:
    await session.exec(delete(SignInSession).where(col(SignInSession.token_hash) == session_hash))
