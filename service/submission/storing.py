"""Storing submissions, many in one transaction: comments, sealed addresses, keys and counters.

The statements go in one order, and the rows of each in the order of what is unique in them, so that the
batches of two processes never wait for each other in a circle.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.exc import DataError, IntegrityError
from sqlmodel import col

from service.comments.errors import DuplicateComment
from service.comments.tables import Article, Comment
from service.comments.tallies import Tallies
from service.database import insert_rows
from service.database.group_commit import GroupCommit
from service.errors import IdempotencyKeyReused, ServiceError
from service.http.reading import KEEP_KEYS
from service.privacy.tables import SealedAddress
from service.submission.drafts import Draft, Key
from service.submission.tables import IdempotencyKey

ACCEPTED = 202
# These are made once, since making a statement takes longer than running it.
_KEY = (col(IdempotencyKey.site_id), col(IdempotencyKey.key_hash))
_READ_KEYS = select(
    *_KEY,
    col(IdempotencyKey.fields_hash),
    col(IdempotencyKey.comment_id),
    col(IdempotencyKey.created_at),
).where(
    # One by one, here and below: for pairs SQLite would look by the site alone, or at every row there is.
    col(IdempotencyKey.site_id).in_(bindparam("sites", expanding=True)),
    col(IdempotencyKey.key_hash).in_(bindparam("hashes", expanding=True)),
)
_FORGET_KEY = delete(IdempotencyKey).where(
    col(IdempotencyKey.site_id) == bindparam("site"),
    col(IdempotencyKey.key_hash) == bindparam("hash"),
    col(IdempotencyKey.created_at) < bindparam("since"),
)
_PLACE = (col(Article.site_id), col(Article.key))
_FIND_ARTICLES = select(*_PLACE, col(Article.id)).where(
    col(Article.site_id).in_(bindparam("sites", expanding=True)),
    col(Article.key).in_(bindparam("keys", expanding=True)),
)
_FIND_COMMENTS = select(col(Comment.id)).where(col(Comment.id).in_(bindparam("wanted", expanding=True)))


class Stored(msgspec.Struct, frozen=True):
    """A submission as it lies in the database, and whether it lay there before this request."""

    comment_id: UUID
    submitted_at: datetime
    replayed: bool = False


SubmissionWriter = GroupCommit[Draft, Stored]
Outcome = Stored | ServiceError
# A site, and the key of an article.
Place = tuple[UUID, str]


class KnownKey(msgspec.Struct, frozen=True):
    """A key that came before: the hash of the fields that came with it, and what was stored."""

    fields_hash: bytes
    stored: Stored

    def recall(self, key: Key) -> Outcome:
        """Give what the key stored before, unless other fields came with it."""
        return self.stored if self.fields_hash == key.fields_hash else IdempotencyKeyReused()


def read_stored(connection: Connection, site_id: UUID, key: Key, now: datetime) -> Outcome | None:
    """Give what a key stored before, or that other fields came with it."""
    known = _read_keys(connection, [(site_id, key.key_hash)]).get((site_id, key.key_hash))
    if known is None or known.stored.submitted_at < now - KEEP_KEYS:
        return None
    return known.recall(key)


def _read_keys(
    connection: Connection, wanted: Sequence[tuple[UUID, bytes]]
) -> dict[tuple[UUID, bytes], KnownKey]:
    """Read keys by their site and their hash."""
    sites, hashes = (list(one) for one in zip(*wanted, strict=True))
    found = connection.execute(_READ_KEYS, {"sites": sites, "hashes": hashes})
    return {
        (site_id, key_hash): KnownKey(fields_hash, Stored(comment_id, created_at, replayed=True))
        for site_id, key_hash, fields_hash, comment_id, created_at in found
    }


def store_drafts(connection: Connection, drafts: Sequence[Draft]) -> list[Outcome | Exception]:
    """Write drafts, in the caller's transaction; gives what became of each, in their order.

    When the database refuses one of them, they are written one by one, so that it fails alone.
    """
    try:
        with connection.begin_nested():
            return list(_store_together(connection, drafts))
    except (DataError, IntegrityError) as error:
        if len(drafts) == 1:
            return [error]
    return [outcome for draft in drafts for outcome in store_drafts(connection, [draft])]


def _store_together(connection: Connection, drafts: Sequence[Draft]) -> list[Outcome]:
    outcomes = _take_keys(connection, drafts)
    fresh = [draft for draft in drafts if draft.id not in outcomes]
    articles = _place_in_articles(connection, fresh)
    rows = [draft.as_row(articles[draft.place]) for draft in fresh]
    stored = _insert_comments(connection, rows)
    taken = [draft for draft in fresh if draft.id in stored]
    _release_keys(connection, [draft for draft in fresh if draft.id not in stored])
    insert_rows(connection, SealedAddress, [draft.address for draft in taken])
    tallies = Tallies()
    for draft in taken:
        outcomes[draft.id] = Stored(draft.id, draft.submitted_at)
        author = draft.address["author_index"]
        tallies.count_submission(draft.site_id, author, draft.status, draft.submitted_at)
    # Last, because these rows are wanted by all: the less is done while they are locked the better.
    tallies.write(connection)
    return [outcomes.get(draft.id) or DuplicateComment() for draft in drafts]


def _take_keys(connection: Connection, drafts: Sequence[Draft]) -> dict[UUID, Outcome]:
    """Take the keys; gives the outcome, by comment, of those whose key was taken before."""
    keyed = [(draft, draft.key) for draft in drafts if draft.key]
    rows = [_key_row(draft, key) for draft, key in keyed]
    rows.sort(key=lambda row: (row["key_hash"], row["site_id"]))
    if insert_rows(connection, IdempotencyKey, rows) == len(rows):
        return {}
    # Whenever tidying up comes to it, a key whose time is over stands for nothing. One by one, in the order
    # in which they were inserted, so that no two processes wait for each other.
    over = [
        {"site": row["site_id"], "hash": row["key_hash"], "since": row["created_at"] - KEEP_KEYS}
        for row in rows
    ]
    connection.execute(_FORGET_KEY, over)
    insert_rows(connection, IdempotencyKey, rows)
    known = _read_keys(connection, [(row["site_id"], row["key_hash"]) for row in rows])
    found = [(draft.id, key, known[draft.site_id, key.key_hash]) for draft, key in keyed]
    return {id_: one.recall(key) for id_, key, one in found if one.stored.comment_id != id_}


def _key_row(draft: Draft, key: Key) -> dict[str, Any]:
    return {
        "site_id": draft.site_id,
        **msgspec.structs.asdict(key),
        "comment_id": draft.id,
        "status": ACCEPTED,
        "created_at": draft.submitted_at,
    }


def _release_keys(connection: Connection, duplicates: Sequence[Draft]) -> None:
    """Let go of the keys of comments that were not stored after all."""
    keyed = {one.id: one.key.key_hash for one in duplicates if one.key}
    if keyed:
        is_key = col(IdempotencyKey.key_hash).in_(list(keyed.values()))
        is_ours = col(IdempotencyKey.comment_id).in_(list(keyed))
        connection.execute(delete(IdempotencyKey).where(is_key, is_ours))


def _place_in_articles(connection: Connection, drafts: Sequence[Draft]) -> dict[Place, UUID]:
    """Give the ids of the articles by their places; those that are missing are made."""
    wanted = {draft.place: draft for draft in drafts}
    known = _find_articles(connection, wanted)
    missing = sorted(wanted.keys() - known.keys())
    if missing:
        insert_rows(connection, Article, [_article_row(wanted[place]) for place in missing])
        known |= _find_articles(connection, missing)
    return known


def _find_articles(connection: Connection, places: Collection[Place]) -> dict[Place, UUID]:
    if not places:
        return {}
    sites, keys = zip(*places, strict=True)
    found = connection.execute(_FIND_ARTICLES, {"sites": {*sites}, "keys": {*keys}})
    return {(site_id, key): article_id for site_id, key, article_id in found}


def _article_row(first: Draft) -> dict[str, Any]:
    site_id, key = first.place
    return {
        "id": first.article_id,
        "site_id": site_id,
        "key": key,
        "is_closed": False,
        "visible": 0,
        "revision": 0,
        "created_at": first.submitted_at,
    }


def _insert_comments(connection: Connection, rows: Sequence[dict[str, Any]]) -> set[UUID]:
    """Insert the comments whose fingerprint is not there yet; gives their ids."""
    ordered = sorted(rows, key=lambda row: bytes(row["fingerprint"]))
    ids = {row["id"] for row in rows}
    if insert_rows(connection, Comment, ordered) == len(ids):
        return ids
    return set(connection.execute(_FIND_COMMENTS, {"wanted": list(ids)}).scalars())
