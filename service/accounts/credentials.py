"""What lets a moderator in, and how it ends: sessions, one-time links, bearer tokens; and new passwords."""

import secrets
from hashlib import sha256
from uuid import UUID

import msgspec
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.rules import Role
from service.accounts.tables import BearerToken, Moderator, OneTimeLink, SignInSession
from service.clock import new_id
from service.errors import NotFound
from service.privacy.vault import NO_SITE
from service.work import Work

# 256 random bits: a fast hash is enough to store them under.
TOKEN_BYTES = 32


class Ended(msgspec.Struct, frozen=True):
    """How many ways in have come to their end."""

    sessions: int
    links: int
    tokens: int


def make_token() -> str:
    """Make an unguessable token for a cookie, a header or a link."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> bytes:
    """Give what is stored of a token."""
    return sha256(token.encode()).digest()


async def lock_moderator(session: AsyncSession, moderator_id: UUID) -> Moderator:
    """Lock an account and give it as it is now; raises NotFound for one that was removed.

    Whoever gives a way in, or ends one, holds this lock: so what begins with an old password never
    outlives the new one.
    """
    query = select(Moderator).where(Moderator.id == moderator_id)
    # Less than FOR UPDATE, for which all would wait that refer to the account by a foreign key.
    locked = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    found = (await session.exec(locked)).first()
    if found is None or found.removed_at is not None:
        raise NotFound
    return found


async def set_password(work: Work, moderator: Moderator, password_hash: str, *, keep_tokens: bool) -> Ended:
    """Set the password of a locked account, and end whatever came before it."""
    moderator.password_hash = password_hash
    work.session.add(moderator)
    kept = ":tokens-kept" if keep_tokens else ""
    work.log(NO_SITE, "password.changed", f"{moderator.id}{kept}")
    return await end_access(work, moderator.id, keep_tokens=keep_tokens)


async def end_access(work: Work, moderator_id: UUID, *, keep_tokens: bool) -> Ended:
    """End the sessions and the open links of a locked account, and its tokens unless they are to stay."""
    is_theirs = col(SignInSession.moderator_id) == moderator_id
    sessions = await work.session.exec(delete(SignInSession).where(is_theirs))
    links = await end_links(work.session, moderator_id)
    tokens = 0 if keep_tokens else await _revoke_tokens(work, moderator_id)
    return Ended(sessions.rowcount, links, tokens)


async def end_links(session: AsyncSession, moderator_id: UUID) -> int:
    """End the links of an account that nobody has used, and tell how many there were."""
    is_open = (col(OneTimeLink.moderator_id) == moderator_id, col(OneTimeLink.used_at).is_(None))
    return (await session.exec(delete(OneTimeLink).where(*is_open))).rowcount


async def _revoke_tokens(work: Work, moderator_id: UUID) -> int:
    query = select(BearerToken).where(
        BearerToken.moderator_id == moderator_id, col(BearerToken.revoked_at).is_(None)
    )
    found = (await work.session.exec(query.order_by(col(BearerToken.id)).with_for_update())).all()
    for token in found:
        _revoke(work, token)
    return len(found)


def _revoke(work: Work, token: BearerToken) -> None:
    """Revoke one token, which stands in the log of the site that it was for."""
    token.revoked_at = work.now
    work.session.add(token)
    work.log(token.site_id or NO_SITE, "token.revoked", token.id)


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
    _revoke(work, token)
