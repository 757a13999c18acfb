"""Storing submissions, many in one transaction: comments, sealed addresses, keys and counters.

The statements go in one order, and the rows of each in the order of what is unique in them, so that the
batches of two processes never wait for each other in a circle.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import tuple_
from sqlalchemy.exc import DataError, IntegrityError
from sqlmodel import Session, SQLModel, col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.comments.operations import Tallies
from service.comments.tables import Article, Comment
from service.database import insert
from service.errors import IdempotencyKeyReused, ServiceError
from service.group_commit import GroupCommit
from service.privacy.tables import SealedAddress
from service.submission.errors import DuplicateComment
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


class Draft(msgspec.Struct, frozen=True):
    """A submission that is ready to be written; the id of the article is one that it may get."""

    comment: Comment
    article: str
    address: SealedAddress
    key: Key | None


SubmissionWriter = GroupCommit[Draft, Stored]
Outcome = Stored | ServiceError


async def read_stored(session: AsyncSession, site_id: UUID, key: Key) -> Stored | None:
    """Give what a key stored before; raises IdempotencyKeyReused when other fields came with it."""
    row = await session.get(IdempotencyKey, (site_id, key.key_hash))
    outcome = _recall(row, key) if row else None
    if isinstance(outcome, ServiceError):
        raise outcome
    return outcome


def _recall(row: IdempotencyKey, key: Key) -> Outcome:
    if row.fields_hash != key.fields_hash:
        return IdempotencyKeyReused()
    return Stored(row.comment_id, row.created_at, replayed=True)


def store_drafts(session: Session, drafts: Sequence[Draft]) -> list[Outcome | Exception]:
    """Write drafts, in the caller's transaction; gives what became of each, in their order.

    When the database refuses one of them, they are written one by one, so that it fails alone.
    """
    try:
        with session.begin_nested():
            return list(_store_together(session, drafts))
    except (DataError, IntegrityError) as error:
        if len(drafts) == 1:
            return [error]
    return [outcome for draft in drafts for outcome in store_drafts(session, [draft])]


def _store_together(session: Session, drafts: Sequence[Draft]) -> list[Outcome]:
    outcomes = _take_keys(session, drafts)
    fresh = [draft for draft in drafts if draft.comment.id not in outcomes]
    _place_in_articles(session, fresh)
    stored = _insert_comments(session, fresh)
    taken = [draft for draft in fresh if draft.comment.id in stored]
    _release_keys(session, [draft for draft in fresh if draft.comment.id not in stored])
    _insert_rows(session, SealedAddress, (draft.address.model_dump() for draft in taken))
    tallies = Tallies()
    for draft in taken:
        comment = draft.comment
        outcomes[comment.id] = Stored(comment.id, comment.submitted_at)
        tallies.count_submission(comment.site_id, comment.submitted_at)
    # Last, because these rows are wanted by all: the less is done while they are locked the better.
    tallies.write(session)
    return [outcomes.get(draft.comment.id) or DuplicateComment() for draft in drafts]


def _take_keys(session: Session, drafts: Sequence[Draft]) -> dict[UUID, Outcome]:
    """Take the keys; gives the outcome, by comment, of those whose key was taken before."""
    keyed = {draft.comment.id: draft for draft in drafts if draft.key}
    rows = sorted((_key_row(draft) for draft in keyed.values()), key=lambda row: row["key_hash"])
    won = set(_insert_rows(session, IdempotencyKey, rows, returning=IdempotencyKey.comment_id))
    lost = {comment_id: draft for comment_id, draft in keyed.items() if comment_id not in won}
    if not lost:
        return {}
    wanted = [(draft.comment.site_id, draft.key.key_hash) for draft in lost.values() if draft.key]
    place = tuple_(col(IdempotencyKey.site_id), col(IdempotencyKey.key_hash))
    query = select(IdempotencyKey).where(place.in_(wanted))
    before = {(row.site_id, row.key_hash): row for row in session.exec(query)}
    return {
        comment_id: _recall(before[draft.comment.site_id, draft.key.key_hash], draft.key)
        for comment_id, draft in lost.items()
        if draft.key
    }


def _key_row(draft: Draft) -> dict[str, Any]:
    return {
        "site_id": draft.comment.site_id,
        **(msgspec.structs.asdict(draft.key) if draft.key else {}),
        "comment_id": draft.comment.id,
        "status": ACCEPTED,
        "created_at": draft.comment.submitted_at,
    }


def _release_keys(session: Session, duplicates: Sequence[Draft]) -> None:
    """Let go of the keys of comments that were not stored after all."""
    ids = [draft.comment.id for draft in duplicates if draft.key]
    if ids:
        hashes = [draft.key.key_hash for draft in duplicates if draft.key]
        mine = (col(IdempotencyKey.key_hash).in_(hashes), col(IdempotencyKey.comment_id).in_(ids))
        session.exec(delete(IdempotencyKey).where(*mine))


def _place_in_articles(session: Session, drafts: Sequence[Draft]) -> None:
    """Give each comment the id of its article, which is made if it is not there."""
    wanted = {(draft.comment.site_id, draft.article): draft.comment for draft in drafts}
    known = _find_articles(session, wanted)
    missing = sorted(place for place in wanted if place not in known)
    if missing:
        rows = (_article_row(key, wanted[site_id, key]) for site_id, key in missing)
        _insert_rows(session, Article, rows)
        known |= _find_articles(session, missing)
    for draft in drafts:
        draft.comment.article_id = known[draft.comment.site_id, draft.article]


def _find_articles(
    session: Session, places: Iterable[tuple[UUID, str]]
) -> dict[tuple[UUID, str], UUID]:
    place = tuple_(col(Article.site_id), col(Article.key))
    query = select(Article.site_id, Article.key, Article.id).where(place.in_(list(places)))
    return {(site_id, key): article_id for site_id, key, article_id in session.exec(query)}


def _article_row(key: str, comment: Comment) -> dict[str, Any]:
    now = comment.submitted_at
    article = Article(id=comment.article_id, site_id=comment.site_id, key=key, created_at=now)
    return article.model_dump()


def _insert_comments(session: Session, drafts: Sequence[Draft]) -> set[UUID]:
    """Insert the comments whose fingerprint is not there yet; gives their ids."""
    ordered = sorted(drafts, key=lambda draft: draft.comment.fingerprint or b"")
    rows = (draft.comment.model_dump() for draft in ordered)
    return set(_insert_rows(session, Comment, rows, returning=Comment.id))


def _insert_rows(
    session: Session,
    table: type[SQLModel],
    rows: Iterable[dict[str, Any]],
    *,
    returning: Any = None,
) -> Sequence[Any]:
    """Insert rows unless a unique value of theirs is there; gives a column of those inserted."""
    values = list(rows)
    if not values:
        return []
    # The rows are parameters, so that the statement is compiled once and not for every batch.
    statement = insert(session, table).on_conflict_do_nothing()
    if returning is None:
        session.connection().execute(statement, values)
        return []
    return session.connection().execute(statement.returning(returning), values).scalars().all()
