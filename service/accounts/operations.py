"""What can be done about accounts: making moderators, signing in and out, roles, tokens, one-time links."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.errors import AccountExists, SignInFailed
from service.accounts.rules import Role
from service.accounts.tables import BearerToken, Membership, Moderator, OneTimeLink, SignInSession
from service.clock import new_id
from service.database import insert
from service.errors import NotAllowed, NotFound
from service.modlog.entries import make_entry
from service.modlog.operations import append_entries
from service.privacy.addresses import Address
from service.privacy.tables import SealedAddress
from service.privacy.vault import NO_SITE, Keyring
from service.rate_limiting.rules import Limit, Rule
from service.services import Services

LINK_LIFETIME = timedelta(hours=24)
SIGN_IN_LIMITS = {"sign_in_ip": Limit(20, 60), "sign_in_account": Limit(5, 60)}
# 256 random bits: a fast hash is enough to store them under.
TOKEN_BYTES = 32


def make_token() -> str:
    """Make an unguessable token for a cookie, a header or a link."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> bytes:
    """Give what is stored of a token."""
    return sha256(token.encode()).digest()


async def find_moderator(
    session: AsyncSession, keyring: Keyring, address: Address
) -> Moderator | None:
    """Give the moderator with this address, looked up by its keyed index."""
    query = select(Moderator).join(SealedAddress, col(SealedAddress.id) == col(Moderator.id))
    indexes = keyring.author_indexes(None, address.folded)
    chosen = query.where(
        col(SealedAddress.site_id).is_(None), col(SealedAddress.author_index).in_(indexes)
    )
    return (await session.exec(chosen)).first()


async def create_moderator(
    session: AsyncSession,
    keyring: Keyring,
    address: Address,
    *,
    name: str,
    now: datetime,
    password_hash: str | None = None,
    is_admin: bool = False,
) -> Moderator:
    """Make an account; raises AccountExists."""
    if await find_moderator(session, keyring, address):
        raise AccountExists
    moderator = Moderator(
        id=new_id(), name=name, password_hash=password_hash, is_admin=is_admin, created_at=now
    )
    session.add(moderator)
    session.add(keyring.seal_address(moderator.id, None, address.original, address.folded))
    subject = f"{moderator.id}:admin" if is_admin else f"{moderator.id}"
    entry = make_entry("moderator.created", now, None, subject=subject)
    await append_entries(session, keyring, NO_SITE, [entry])
    return moderator


async def sign_in(
    services: Services, address: Address | None, password: str, *, prefix: str
) -> tuple[Moderator, str]:
    """Check an address and a password; gives the moderator and the token of a new session.

    None is an address that cannot be one. Raises SignInFailed, RateLimited or Unavailable, in the same
    time and words whether there is such an account or not.
    """
    folded = address.folded if address else ""
    subjects = {"sign_in_ip": prefix, "sign_in_account": f"{folded}:{prefix}"}
    await services.charge(
        [Rule(name, limit, subjects[name]) for name, limit in SIGN_IN_LIMITS.items()]
    )
    async with services.reading() as session:
        keyring = await services.vault.keyring(session)
        moderator = await find_moderator(session, keyring, address or Address("", ""))
    stored = moderator.password_hash if moderator else None
    if not await services.passwords.verify(stored, password) or moderator is None:
        raise SignInFailed
    async with services.writing() as session:
        return moderator, start_session(session, moderator.id, services.clock())


def start_session(session: AsyncSession, moderator_id: UUID, now: datetime) -> str:
    """Open a session for a browser and give its token."""
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


async def sign_out(session: AsyncSession, session_hash: bytes) -> None:
    """End a session."""
    await session.exec(delete(SignInSession).where(col(SignInSession.token_hash) == session_hash))


def make_link(session: AsyncSession, moderator_id: UUID, now: datetime) -> str:
    """Make a link that signs a moderator in once within a day; gives its token."""
    token = make_token()
    session.add(
        OneTimeLink(
            token_hash=hash_token(token), moderator_id=moderator_id, expires_at=now + LINK_LIFETIME
        )
    )
    return token


async def find_link(session: AsyncSession, token: str, now: datetime) -> OneTimeLink:
    """Give a link that may still be used; raises NotFound."""
    link = await session.get(OneTimeLink, hash_token(token))
    if link is None or link.used_at is not None or link.expires_at <= now:
        raise NotFound("This link was used already, has expired, or never was one.")
    return link


async def use_link(
    session: AsyncSession, token: str, now: datetime, password_hash: str | None
) -> str:
    """Sign in by a one-time link, and set a password with it if one was chosen.

    Gives the token of a new session. Raises NotFound.
    """
    link = await find_link(session, token, now)
    used = await session.exec(
        update(OneTimeLink)
        .where(col(OneTimeLink.token_hash) == link.token_hash, col(OneTimeLink.used_at).is_(None))
        .values(used_at=now)
    )
    if used.rowcount != 1:
        # Two clicks at once: the other one came first.
        raise NotFound("This link was used already.")
    if password_hash:
        chosen = update(Moderator).where(col(Moderator.id) == link.moderator_id)
        await session.exec(chosen.values(password_hash=password_hash))
    return start_session(session, link.moderator_id, now)


async def set_role(
    session: AsyncSession,
    keyring: Keyring,
    site_id: UUID,
    moderator_id: UUID,
    role: Role | None,
    *,
    actor_id: UUID | None,
    now: datetime,
) -> None:
    """Give a moderator a role on a site, or with None take it away; raises NotFound, NotAllowed.

    A site that has an owner keeps at least one.
    """
    if await session.get(Moderator, moderator_id) is None:
        raise NotFound("There is no such moderator.")
    before = await session.get(Membership, (site_id, moderator_id))
    if before is None and role is None:
        raise NotFound("This moderator has no role on the site.")
    if before and before.role == Role.OWNER.word and role is not Role.OWNER:
        await _require_another_owner(session, site_id, moderator_id)
    if role is None:
        await session.exec(delete(Membership).where(*_is_member(site_id, moderator_id)))
    else:
        values = {"site_id": site_id, "moderator_id": moderator_id, "role": role.word}
        statement = insert(session, Membership).values(**values, created_at=now)
        keys = ["site_id", "moderator_id"]
        await session.exec(
            statement.on_conflict_do_update(index_elements=keys, set_={"role": role.word})
        )
    subject = f"{moderator_id}:{role.word if role else 'none'}"
    await append_entries(
        session, keyring, site_id, [make_entry("member.changed", now, actor_id, subject=subject)]
    )


async def _require_another_owner(session: AsyncSession, site_id: UUID, moderator_id: UUID) -> None:
    others = select(Membership).where(
        Membership.site_id == site_id,
        Membership.role == Role.OWNER.word,
        Membership.moderator_id != moderator_id,
    )
    # Locked, so that two owners who remove each other do not both succeed.
    if (await session.exec(others.with_for_update())).first() is None:
        raise NotAllowed("The last owner of a site stays its owner.")


def _is_member(site_id: UUID, moderator_id: UUID) -> tuple[Any, Any]:
    return (col(Membership.site_id) == site_id, col(Membership.moderator_id) == moderator_id)


async def create_bearer_token(
    session: AsyncSession,
    keyring: Keyring,
    moderator_id: UUID,
    *,
    name: str,
    site_id: UUID | None,
    role: Role | None,
    now: datetime,
) -> tuple[BearerToken, str]:
    """Make a bearer token, limited to a site and a role if these are given; its text is never stored."""
    text = make_token()
    token = BearerToken(
        id=new_id(),
        token_hash=hash_token(text),
        moderator_id=moderator_id,
        name=name,
        site_id=site_id,
        role=role.word if role else None,
        created_at=now,
    )
    session.add(token)
    entry = make_entry("token.created", now, moderator_id, subject=str(token.id))
    await append_entries(session, keyring, site_id or NO_SITE, [entry])
    return token, text


async def revoke_bearer_token(
    session: AsyncSession, keyring: Keyring, moderator_id: UUID, token_id: UUID, now: datetime
) -> None:
    """End a token of one's own; raises NotFound."""
    token = await session.get(BearerToken, token_id)
    if token is None or token.moderator_id != moderator_id or token.revoked_at is not None:
        raise NotFound("You have no such token.")
    token.revoked_at = now
    session.add(token)
    entry = make_entry("token.revoked", now, moderator_id, subject=str(token_id))
    await append_entries(session, keyring, token.site_id or NO_SITE, [entry])
