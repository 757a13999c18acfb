"""One-time links, for those who have no password or forgot it."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import and_, col, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.credentials import (
    end_links,
    hash_token,
    lock_moderator,
    make_token,
    set_password,
)
from service.accounts.errors import AccountDisabled
from service.accounts.schemas import UseLink
from service.accounts.sessions import SIGN_IN_LIMITS, start_session
from service.accounts.tables import Moderator, OneTimeLink
from service.errors import NotFound
from service.privacy.vault import NO_SITE
from service.rate_limiting.rules import Rule
from service.services import Services
from service.work import Work

LINK_LIFETIME = timedelta(hours=24)


async def make_link(work: Work, moderator_id: UUID) -> str:
    """Make a link that signs a moderator in once within a day, and end the ones before; gives its token.

    Raises NotFound or AccountDisabled.
    """
    moderator = await lock_moderator(work.session, moderator_id)
    if moderator.disabled_at is not None:
        raise AccountDisabled
    await end_links(work.session, moderator_id)
    token, ends = make_token(), work.now + LINK_LIFETIME
    work.session.add(OneTimeLink(token_hash=hash_token(token), moderator_id=moderator_id, expires_at=ends))
    work.log(NO_SITE, "link.created", moderator_id)
    return token


async def require_link(services: Services, token: str) -> None:
    """Raise NotFound for a link that may not be used, or not any more."""
    async with services.reading() as session:
        await _find_link(session, token, services.clock())


async def _find_link(session: AsyncSession, token: str, now: datetime) -> OneTimeLink:
    link = await session.get(OneTimeLink, hash_token(token))
    if link is None or link.used_at is not None or not _is_alive(link, now):
        raise NotFound("This link was used already, has expired, or never was one.")
    return link


def _is_alive(link: OneTimeLink, now: datetime) -> bool:
    """Tell whether a link was made within a day, which one of a clock that was far ahead was not."""
    return now < link.expires_at < now + 2 * LINK_LIFETIME


def can_sign_in(now: datetime) -> ColumnElement[bool]:
    """Give the condition that somebody gets in by an account: by its password, or by a link that is open.

    Sessions and tokens do not count: they end by themselves, and nobody gets another by them.
    """
    expires = col(OneTimeLink.expires_at)
    links = select(OneTimeLink.moderator_id).where(
        col(OneTimeLink.used_at).is_(None), expires > now, expires < now + 2 * LINK_LIFETIME
    )
    return and_(
        col(Moderator.disabled_at).is_(None),
        col(Moderator.removed_at).is_(None),
        or_(col(Moderator.password_hash).is_not(None), col(Moderator.id).in_(links)),
    )


async def use_link(
    services: Services, token: str, command: UseLink, *, prefix: str, instead_of: str | None
) -> str:
    """Sign in by a one-time link, and set a password with it if one was chosen.

    Gives the token of a new session, which takes the place of the browser's own. Raises NotFound, RateLimited
    or Unavailable.
    """
    await services.charge([Rule("sign_in_ip", SIGN_IN_LIMITS["sign_in_ip"], prefix)])
    # Asked before a password is hashed: hashing is dear, and a made-up link costs nothing.
    await require_link(services, token)
    hashed = await services.passwords.hash(command.password) if command.password else None
    async with services.changing(None) as work:
        session, now = work.session, work.now
        link = await _find_link(session, token, now)
        moderator = await lock_moderator(session, link.moderator_id)
        is_link = col(OneTimeLink.token_hash) == link.token_hash
        unused = update(OneTimeLink).where(is_link, col(OneTimeLink.used_at).is_(None))
        used = await session.exec(unused.values(used_at=now))
        if used.rowcount != 1 or moderator.disabled_at is not None:
            # Two clicks at once: the other one came first. Or the link has ended meanwhile.
            raise NotFound("This link was used already.")
        # Whose link it is was not known before.
        work.actor_id = moderator.id
        work.log(NO_SITE, "link.used", moderator.id)
        if hashed:
            await set_password(work, moderator, hashed, keep_tokens=command.keep_tokens)
        return await start_session(session, moderator.id, now, instead_of=instead_of)
