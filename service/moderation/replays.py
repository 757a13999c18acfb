"""Answering decisions again under the same Idempotency-Key.

What somebody may not decide about any more is not told a second time.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.rules import Caller, Role
from service.clock import parse_id
from service.comments.tables import Comment
from service.database import insert_new
from service.errors import IdempotencyKeyReused
from service.http.reading import KEEP_KEYS
from service.moderation.schemas import DecideComments, Result
from service.moderation.tables import DecisionKey
from service.work import Work


def make_key(
    work: Work, caller: Caller, command: DecideComments, idempotency_key: str
) -> DecisionKey:
    """Make what is kept of a request under its Idempotency-Key."""
    return DecisionKey(
        moderator_id=caller.moderator_id,
        key_hash=work.keyring.mac("idempotency/key", idempotency_key.encode()),
        fields_hash=work.keyring.mac("idempotency/fields", msgspec.json.encode(command)),
        results=[],
        created_at=work.now,
    )


async def take_key(session: AsyncSession, key: DecisionKey) -> list[Result] | None:
    """Take a key for this request, or give the results that it had before; raises IdempotencyKeyReused."""
    # Whenever tidying up comes to it, a key whose time is over stands for nothing.
    is_over = col(DecisionKey.created_at) < key.created_at - KEEP_KEYS
    await session.exec(delete(DecisionKey).where(*_is_key(key), is_over))
    statement = insert_new(session, DecisionKey, key.model_dump())
    taken = await session.exec(statement.returning(col(DecisionKey.key_hash)))
    stored = await session.get_one(DecisionKey, (key.moderator_id, key.key_hash))
    if taken.first() is not None:
        return None
    if stored.fields_hash != key.fields_hash:
        raise IdempotencyKeyReused("This Idempotency-Key came before with other decisions.")
    return msgspec.convert(stored.results, list[Result])


async def keep_results(session: AsyncSession, key: DecisionKey, results: list[Result]) -> None:
    """Keep the results of a request under its key."""
    kept = update(DecisionKey).where(*_is_key(key)).values(results=msgspec.to_builtins(results))
    await session.exec(kept)


def _is_key(key: DecisionKey) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (
        col(DecisionKey.moderator_id) == key.moderator_id,
        col(DecisionKey.key_hash) == key.key_hash,
    )


async def check_rights_again(
    session: AsyncSession, caller: Caller, stored: Sequence[Result]
) -> list[Result]:
    """Give stored results as far as the caller may know them now, as a first request would be answered.

    Raises NotAllowed when the role has become too low for one of the comments.
    """
    ids = [found for one in stored if (found := parse_id(one.comment or ""))]
    query = select(Comment.id, Comment.site_id).where(col(Comment.id).in_(ids))
    sites = dict((await session.exec(query)).all())
    return [_see(caller, one, sites) for one in stored]


def _see(caller: Caller, result: Result, sites: Mapping[UUID, UUID]) -> Result:
    if result.outcome == "not_found" or result.comment is None:
        return result
    site_id = sites.get(UUID(result.comment))
    if site_id is None or caller.role_on(site_id) is None:
        return Result(result.comment, "not_found", None, None)
    caller.require(site_id, Role.MODERATOR)
    return result
