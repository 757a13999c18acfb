"""Tokens: how one is made and kept, and the bearer tokens of scripts."""

import secrets
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.credentials import revoke
from service.accounts.rules import Role
from service.accounts.tables import BearerToken
from service.clock import new_id
from service.errors import NotFound
from service.modlog.chains import Entries
from service.modlog.entries import make_entry
from service.modlog.operations import append_entries
from service.privacy.vault import NO_SITE, Keyring

# 256 random bits: a fast hash is enough to store them under.
TOKEN_BYTES = 32


def make_token() -> str:
    """Make an unguessable token for a cookie, a header or a link."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> bytes:
    """Give what is stored of a token."""
    return sha256(token.encode()).digest()


async def create_bearer_token(
    session: AsyncSession,
    keyring: Keyring,
    moderator_id: UUID,
    *,
    name: str,
    site_id: UUID | None,
    role: Role | None,
    actor_id: UUID | None,
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
    entry = make_entry("token.created", now, actor_id, subject=str(token.id))
    await append_entries(session, keyring, site_id or NO_SITE, [entry])
    return token, text


async def revoke_bearer_token(
    session: AsyncSession,
    keyring: Keyring,
    token_id: UUID,
    *,
    of: UUID | None,
    actor_id: UUID | None,
    now: datetime,
) -> None:
    """End a token, with `of` only one of that moderator's; raises NotFound."""
    token = await session.get(BearerToken, token_id, with_for_update=True)
    if token is None or token.revoked_at is not None or of not in {None, token.moderator_id}:
        raise NotFound
    entries = Entries()
    revoke(session, token, entries, actor_id, now)
    await entries.append(session, keyring)
