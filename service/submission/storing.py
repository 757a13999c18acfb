"""Storing a submission: comment, sealed address, Idempotency-Key and counters, or none of them."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.comments.operations import Tallies
from service.comments.tables import Article, Comment
from service.database import insert, insert_new
from service.errors import IdempotencyKeyReused
from service.privacy.vault import Keyring
from service.submission.errors import DuplicateComment
from service.submission.rules import Submission
from service.submission.tables import IdempotencyKey

ACCEPTED = 202


class Stored(msgspec.Struct, frozen=True):
    """A submission as it lies in the database, and whether it lay there before this request."""

    comment_id: UUID
    submitted_at: datetime
    replayed: bool = False


class Key(msgspec.Struct, frozen=True):
    """An Idempotency-Key and the fields that came with it, as keyed hashes."""

    key_hash: bytes
    fields_hash: bytes


async def read_stored(session: AsyncSession, site_id: UUID, key: Key) -> Stored | None:
    """Give what a key stored before; raises IdempotencyKeyReused when other fields came with it."""
    row = await session.get(IdempotencyKey, (site_id, key.key_hash))
    if row is None:
        return None
    if row.fields_hash != key.fields_hash:
        raise IdempotencyKeyReused
    return Stored(row.comment_id, row.created_at, replayed=True)


async def store_comment(
    session: AsyncSession,
    keyring: Keyring,
    submission: Submission,
    comment: Comment,
    key: Key | None,
) -> Stored:
    """Write the comment and all that belongs to it, in the caller's transaction.

    Gives what was stored before when another request with the same key was first. Raises
    IdempotencyKeyReused or DuplicateComment.
    """
    if key and not await _take_key(session, key, comment):
        stored = await read_stored(session, comment.site_id, key)
        # The key's row was there a moment ago, and keys are kept for a day.
        assert stored is not None  # noqa: S101
        return stored
    comment.article_id = await _ensure_article(session, comment, submission.article)
    await _insert_comment(session, comment)
    address = submission.email
    session.add(keyring.seal_address(comment.id, comment.site_id, address.original, address.folded))
    # Before the tallies, whose rows everybody wants: the less is done while they are locked the better.
    await session.flush()
    tallies = Tallies()
    tallies.count_submission(comment.site_id, comment.submitted_at)
    await tallies.write(session)
    return Stored(comment.id, comment.submitted_at)


async def _take_key(session: AsyncSession, key: Key, comment: Comment) -> bool:
    values = {
        "site_id": comment.site_id,
        "key_hash": key.key_hash,
        "fields_hash": key.fields_hash,
        "comment_id": comment.id,
        "status": ACCEPTED,
        "created_at": comment.submitted_at,
    }
    taken = insert_new(session, IdempotencyKey, values).returning(col(IdempotencyKey.key_hash))
    return (await session.exec(taken)).first() is not None


async def _ensure_article(session: AsyncSession, comment: Comment, key: str) -> UUID:
    query = select(Article.id).where(Article.site_id == comment.site_id, Article.key == key)
    found = (await session.exec(query)).first()
    if found:
        return found
    article = Article(
        id=comment.article_id, site_id=comment.site_id, key=key, created_at=comment.submitted_at
    )
    await session.exec(insert_new(session, Article, article.model_dump()))
    return (await session.exec(query)).one()


async def _insert_comment(session: AsyncSession, comment: Comment) -> None:
    """Insert the row unless its fingerprint is taken, and raise DuplicateComment if it is."""
    statement = insert(session, Comment).values(**comment.model_dump())
    guarded = statement.on_conflict_do_nothing(index_elements=["fingerprint"])
    if (await session.exec(guarded.returning(col(Comment.id)))).first() is None:
        raise DuplicateComment
