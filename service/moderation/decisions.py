"""Decisions and their undoing: each is one change of status, one entry in the log, all in one transaction.

The same request under the same Idempotency-Key is answered again, but for what somebody may not decide about
any more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Row, and_, delete, select, update
from sqlmodel import col

from service.accounts.rules import Caller, Role
from service.clock import parse_id
from service.comments.changing import lock_comments, move_comment, settle_edit
from service.comments.rules import (
    RESULT,
    DecisionAction,
    LockedComment,
    decides_edit,
    is_legal,
    is_stale,
)
from service.comments.tables import Comment
from service.database import insert_new, table_of
from service.errors import IdempotencyKeyReused
from service.http.reading import KEEP_KEYS
from service.moderation.rules import holds_claim
from service.moderation.schemas import (
    DecideComments,
    Decision,
    Outcome,
    Result,
    Results,
    UndoDecisions,
)
from service.moderation.tables import DecisionKey
from service.modlog.rules import Entry
from service.modlog.tables import LogEntry
from service.services import Services
from service.work import Work

UNDOABLE = frozenset({*get_args(DecisionAction), "undo"})
_ENTRY = table_of(LogEntry)


@dataclass
class Sitting:
    """One request's decisions: whose they are, the comments that they are about, and which were spoken of."""

    work: Work
    caller: Caller
    comments: dict[UUID, LockedComment]
    seen: set[UUID] = field(default_factory=set)

    def find(self, comment_id: UUID | None) -> LockedComment | None:
        """Give a comment that the caller may know of; raises NotAllowed where the role is too low."""
        comment = self.comments.get(comment_id) if comment_id else None
        if comment is None or self.caller.role_on(comment.site_id) is None:
            return None
        self.caller.require(comment.site_id, Role.MODERATOR)
        return comment

    def is_out_of_reach(self, comment: LockedComment) -> bool:
        """Tell whether this request spoke of the comment before, or another moderator holds it."""
        is_second = comment.id in self.seen
        self.seen.add(comment.id)
        is_anothers = comment.claimed_by not in {None, self.caller.moderator_id}
        return is_second or (is_anothers and holds_claim(comment.claimed_until, self.work.now))


def view_result(comment: LockedComment, outcome: Outcome, entry: Entry | None = None) -> Result:
    """Give what became of a decision, with the comment's present state."""
    decision = str(entry.id) if entry else None
    return Result(str(comment.id), outcome, comment.status, comment.version, decision)


async def decide_comments(
    services: Services, caller: Caller, command: DecideComments, idempotency_key: str | None
) -> tuple[Results, bool]:
    """Apply decisions one after the other; gives their results, and whether they are a replay.

    Raises NotAllowed when the role is too low for one of the comments, and IdempotencyKeyReused.
    """
    results, stored = await services.change(
        caller.moderator_id, _decide_all, caller, command, idempotency_key
    )
    if stored is None:
        for decision, result in zip(command.decisions, results, strict=True):
            services.metrics.decisions.labels(decision.action, result.outcome).inc()
    return Results(results), results == stored


def _decide_all(
    work: Work, caller: Caller, command: DecideComments, idempotency_key: str | None
) -> tuple[list[Result], list[Result] | None]:
    """Give the results, and beside them those that the Idempotency-Key had before."""
    key = _make_key(work, caller, idempotency_key) if idempotency_key is not None else None
    stored = _take_key(work, key, command) if key else None
    if stored is not None:
        return _check_rights_again(work, caller, stored), stored
    ids = [parse_id(decision.comment) for decision in command.decisions]
    sitting = Sitting(work, caller, lock_comments(work, filter(None, ids)))
    results = [
        _decide(sitting, comment_id, decision)
        for comment_id, decision in zip(ids, command.decisions, strict=True)
    ]
    if key:
        _keep_results(work, key, results)
    return results, None


def _decide(sitting: Sitting, comment_id: UUID | None, decision: Decision) -> Result:
    comment = sitting.find(comment_id)
    if comment is None:
        return Result(decision.comment, "not_found", None, None)
    is_overtaken = is_stale(comment, decision.action, decision.version)
    if sitting.is_out_of_reach(comment) or is_overtaken:
        return view_result(comment, "conflict")
    action, why = decision.action, {"reason": decision.reason, "note": decision.note}
    if comment.edit and decides_edit(action, comment.status):
        entry = settle_edit(sitting.work, comment, action, **why)
    elif is_legal(action, comment.status):
        entry = move_comment(sitting.work, comment, action, RESULT[action], **why)
    else:
        return view_result(comment, "illegal")
    return view_result(comment, "applied", entry)


# The moderator, and the hash of the key.
Key = tuple[UUID, bytes]


def _make_key(work: Work, caller: Caller, idempotency_key: str) -> Key:
    return caller.moderator_id, work.keyring.mac("idempotency/key", idempotency_key.encode())


def _take_key(work: Work, key: Key, command: DecideComments) -> list[Result] | None:
    """Take a key for a request, or give the results that it had before; raises IdempotencyKeyReused."""
    connection = work.connection
    # Whenever tidying up comes to it, a key whose time is over stands for nothing.
    is_over = col(DecisionKey.created_at) < work.now - KEEP_KEYS
    connection.execute(delete(DecisionKey).where(_is_key(key), is_over))
    fields_hash = work.keyring.mac("idempotency/fields", msgspec.json.encode(command))
    row = {"moderator_id": key[0], "key_hash": key[1], "fields_hash": fields_hash}
    row |= {"results": [], "created_at": work.now}
    taken = insert_new(connection, DecisionKey).returning(col(DecisionKey.key_hash))
    if connection.execute(taken, row).first():
        return None
    query = select(col(DecisionKey.fields_hash), col(DecisionKey.results)).where(_is_key(key))
    stored_hash, results = connection.execute(query).one()
    if stored_hash != fields_hash:
        raise IdempotencyKeyReused("This Idempotency-Key came before with other decisions.")
    return msgspec.convert(results, list[Result])


def _keep_results(work: Work, key: Key, results: list[Result]) -> None:
    """Keep the results of a request under its key."""
    kept = update(DecisionKey).where(_is_key(key)).values(results=msgspec.to_builtins(results))
    work.connection.execute(kept)


def _is_key(key: Key) -> ColumnElement[bool]:
    return and_(col(DecisionKey.moderator_id) == key[0], col(DecisionKey.key_hash) == key[1])


def _check_rights_again(work: Work, caller: Caller, stored: Sequence[Result]) -> list[Result]:
    """Give stored results as far as the caller may know them now, as a first request would be answered.

    Raises NotAllowed when the role has become too low for one of the comments.
    """
    ids = [found for one in stored if (found := parse_id(one.comment or ""))]
    query = select(col(Comment.id), col(Comment.site_id)).where(col(Comment.id).in_(ids))
    sites = dict(work.connection.execute(query).all())
    return [_see_again(caller, one, sites) for one in stored]


def _see_again(caller: Caller, result: Result, sites: Mapping[UUID, UUID]) -> Result:
    if result.outcome == "not_found" or result.comment is None:
        return result
    site_id = sites.get(UUID(result.comment))
    if site_id is None or caller.role_on(site_id) is None:
        return Result(result.comment, "not_found", None, None)
    caller.require(site_id, Role.MODERATOR)
    return result


async def undo_decisions(services: Services, caller: Caller, command: UndoDecisions) -> Results:
    """Put back the status from before each decision, unless the comment has changed since.

    An author's own withdrawal is not undone. Raises NotAllowed.
    """
    results = await services.change(caller.moderator_id, _undo_all, caller, command)
    for result in results:
        services.metrics.decisions.labels("undo", result.outcome).inc()
    return Results(results)


def _undo_all(work: Work, caller: Caller, command: UndoDecisions) -> list[Result]:
    ids = [parse_id(decision) for decision in command.decisions]
    query = select(_ENTRY).where(
        _ENTRY.c.id.in_([one for one in ids if one]), _ENTRY.c.action.in_({*UNDOABLE, "withdraw"})
    )
    entries = {entry.id: entry for entry in work.connection.execute(query)}
    locked = lock_comments(work, {entry.comment_id for entry in entries.values()})
    sitting = Sitting(work, caller, locked)
    return [_undo(sitting, entries.get(decision_id)) for decision_id in ids]


def _undo(sitting: Sitting, entry: Row[Any] | None) -> Result:
    comment = sitting.find(entry.comment_id) if entry else None
    if comment is None or entry is None:
        return Result(None, "not_found", None, None)
    if sitting.is_out_of_reach(comment) or comment.version != entry.version:
        return view_result(comment, "conflict")
    # A decision about an edit has changed no status, so there is none to put back.
    if entry.action not in UNDOABLE or entry.from_status == entry.to_status:
        return view_result(comment, "illegal")
    reason = _read_reason(sitting.work, entry)
    moved = move_comment(sitting.work, comment, "undo", entry.from_status, reason=reason)
    return view_result(comment, "applied", moved)


def _read_reason(work: Work, undone: Row[Any]) -> str | None:
    """Give the reason that the comment had in the status that is put back."""
    query = (
        select(_ENTRY.c.reason)
        .where(_ENTRY.c.comment_id == undone.comment_id, _ENTRY.c.to_status == undone.from_status)
        # What is about an edit has a status too, and a reason of its own.
        .where(_ENTRY.c.from_status != _ENTRY.c.to_status, _ENTRY.c.seq < undone.seq)
        .order_by(_ENTRY.c.seq.desc())
        .limit(1)
    )
    reason: str | None = work.connection.scalar(query)
    return reason
