"""Tokens: how one is made and kept, and the bearer tokens of scripts."""

import secrets
from hashlib import sha256
from uuid import UUID

from service.accounts.credentials import revoke
from service.accounts.rules import Role
from service.accounts.tables import BearerToken
from service.clock import new_id
from service.errors import NotFound
from service.privacy.vault import NO_SITE
from service.work import Work

# 256 random bits: a fast hash is enough to store them under.
TOKEN_BYTES = 32


def make_token() -> str:
    """Make an unguessable token for a cookie, a header or a link."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> bytes:
    """Give what is stored of a token."""
    return sha256(token.encode()).digest()


async def create_bearer_token(
    work: Work, moderator_id: UUID, *, name: str, site_id: UUID | None, role: Role | None
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
        created_at=work.now,
    )
    work.session.add(token)
    work.log(site_id or NO_SITE, "token.created", token.id)
    return token, text


async def revoke_bearer_token(work: Work, token_id: UUID, *, of: UUID | None) -> None:
    """End a token, with `of` only one of that moderator's; raises NotFound."""
    token = await work.session.get(BearerToken, token_id, with_for_update=True)
    if token is None or token.revoked_at is not None or of not in {None, token.moderator_id}:
        raise NotFound
    revoke(work, token)
