"""Claims: a moderator's lease on pending comments, which ends by itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, not_
from sqlmodel import col, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.rules import Caller, Role
from service.accounts.tables import Moderator
from service.clock import parse_id
from service.comments.tables import Comment
from service.errors import Conflict
from service.moderation.queries import read_queued
from service.moderation.queue import rank_by_risk
from service.moderation.rules import holds_claim, latest_end
from service.moderation.schemas import ClaimComments, Claimed, RenewClaims
from service.services import Services

MAX_CLAIMS = 200


class TooManyClaims(Conflict):
    slug = "too-many-claims"
    title = "You hold as many comments as one may"
    advice = "Decide on some of them or give them back: DELETE /v1/moderation/claims."
    default_detail = f"A moderator may hold {MAX_CLAIMS} comments at once."


async def claim_comments(services: Services, caller: Caller, command: ClaimComments) -> Claimed:
    """Take free pending comments into the caller's hands; no two moderators ever hold the same one.

    Raises NotFound, NotAllowed or TooManyClaims.
    """
    site = await services.directory.get(command.site)
    caller.require(site.id, Role.MODERATOR)
    now = services.clock()
    until = now + timedelta(seconds=command.lease_seconds)
    async with services.writing() as session:
        held = await _count_held(services, session, caller)
        if held >= MAX_CLAIMS:
            raise TooManyClaims
        rank = [rank_by_risk().desc()] if command.order == "risk" else []
        query = (
            select(Comment.id)
            .where(Comment.site_id == site.id, Comment.status == "pending", not_(_is_claimed(now)))
            .order_by(*rank, col(Comment.id))
            .limit(min(command.limit, MAX_CLAIMS - held))
            # On SQLite the transaction is the only one that writes, and the clause is dropped.
            .with_for_update(skip_locked=True)
        )
        ids = (await session.exec(query)).all()
        await _set_claim(session, ids, caller.moderator_id, until)
        keyring = await services.vault.keyring(session)
        return Claimed(await read_queued(session, keyring, ids, now), until)


def _is_claimed(now: datetime) -> ColumnElement[bool]:
    """Say in a query what `holds_claim` says."""
    until = col(Comment.claimed_until)
    return and_(until.is_not(None), until > now, until <= latest_end(now))


async def _count_held(services: Services, session: AsyncSession, caller: Caller) -> int:
    """Count the caller's living claims, one request of the caller after the other."""
    own = select(Moderator.id).where(Moderator.id == caller.moderator_id).with_for_update()
    await session.exec(own)
    held = select(func.count()).where(
        Comment.claimed_by == caller.moderator_id,
        _is_claimed(services.clock()),
        Comment.status == "pending",
    )
    return (await session.exec(held)).one()


async def renew_claims(services: Services, caller: Caller, command: RenewClaims) -> Claimed:
    """Hold on to claims that have not ended; gives those that were renewed."""
    now = services.clock()
    until = now + timedelta(seconds=command.lease_seconds)
    wanted = dict.fromkeys(found for text in command.comments if (found := parse_id(text)))
    async with services.writing() as session:
        held = await _lock_held(session, caller)
        alive = {comment.id for comment in held if holds_claim(comment.claimed_until, now)}
        ids = [comment_id for comment_id in wanted if comment_id in alive]
        await _set_claim(session, ids, caller.moderator_id, until)
        keyring = await services.vault.keyring(session)
        return Claimed(await read_queued(session, keyring, ids, now), until)


async def _lock_held(session: AsyncSession, caller: Caller) -> Sequence[Comment]:
    """Lock the comments in the caller's hands, in the order in which decisions take theirs.

    Those that the credentials do not reach are left out.
    """
    query = select(Comment).where(Comment.claimed_by == caller.moderator_id)
    held = (await session.exec(query.order_by(col(Comment.id)).with_for_update())).all()
    return [one for one in held if (caller.role_on(one.site_id) or 0) >= Role.MODERATOR]


async def _set_claim(
    session: AsyncSession, ids: Sequence[UUID], holder: UUID | None, until: datetime | None
) -> None:
    chosen = update(Comment).where(col(Comment.id).in_(ids))
    await session.exec(chosen.values(claimed_by=holder, claimed_until=until))


async def release_claims(services: Services, caller: Caller) -> None:
    """Give all of one's own claims back."""
    async with services.writing() as session:
        held = await _lock_held(session, caller)
        await _set_claim(session, [comment.id for comment in held], None, None)
