"""One-time links, for those who have no password or forgot it."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import col, update
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.sessions import start_session
from service.accounts.tables import Moderator, OneTimeLink
from service.accounts.tokens import hash_token, make_token
from service.errors import NotFound

LINK_LIFETIME = timedelta(hours=24)


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
    if link is None or link.used_at is not None or not _is_alive(link, now):
        raise NotFound("This link was used already, has expired, or never was one.")
    return link


def _is_alive(link: OneTimeLink, now: datetime) -> bool:
    """Tell whether a link was made within a day, which one of a clock that was far ahead was not."""
    return now < link.expires_at < now + 2 * LINK_LIFETIME


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
