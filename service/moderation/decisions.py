"""Decisions and their undoing: each is one change of status, one entry in the log, all in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.rules import Caller, Role
from service.clock import parse_id
from service.comments.changing import has_edit, lock_comments, move_comment, settle_edit
from service.comments.rules import (
    RESULT,
    LockedComment,
    Status,
    decides_edit,
    is_legal,
    is_stale,
)
from service.moderation.queries import read_reason
from service.moderation.replays import (
    check_rights_again,
    keep_results,
    make_key,
    take_key,
)
from service.moderation.rules import holds_claim
from service.moderation.schemas import (
    DecideComments,
    Decision,
    Result,
    Results,
    UndoDecisions,
)
from service.modlog.tables import LogEntry
from service.services import Services
from service.work import Work

UNDOABLE = frozenset({"approve", "reject", "spam", "requeue", "undo"})


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

    def is_second_mention(self, comment: LockedComment) -> bool:
        """Tell whether this request spoke of the comment before; from now on it did."""
        is_second = comment.id in self.seen
        self.seen.add(comment.id)
        return is_second

    def is_claimed_by_another(self, comment: LockedComment) -> bool:
        is_another = comment.claimed_by not in {None, self.caller.moderator_id}
        return is_another and holds_claim(comment.claimed_until, self.work.now)


def view_result(comment: LockedComment, outcome: str, entry: LogEntry | None = None) -> Result:
    """Give what became of a decision, with the comment's present state."""
    result = {
        "comment": str(comment.id),
        "outcome": outcome,
        "status": comment.status,
        "version": comment.version,
    }
    if entry:
        result["decision"] = str(entry.id)
    return msgspec.convert(result, Result)


async def decide_comments(
    services: Services, caller: Caller, command: DecideComments, idempotency_key: str | None
) -> tuple[Results, bool]:
    """Apply decisions one after the other; gives their results, and whether they are a replay.

    Raises NotAllowed when the role is too low for one of the comments, and IdempotencyKeyReused.
    """
    ids = [parse_id(decision.comment) for decision in command.decisions]
    async with services.changing(caller.moderator_id) as work:
        key = (
            make_key(work, caller, command, idempotency_key)
            if idempotency_key is not None
            else None
        )
        stored = await take_key(work.session, key) if key else None
        if stored is not None:
            seen = await check_rights_again(work.session, caller, stored)
            return Results(seen), seen == stored
        comments = await lock_comments(work, [one for one in ids if one])
        sitting = Sitting(work, caller, comments)
        results = [
            _decide(sitting, comment_id, decision)
            for comment_id, decision in zip(ids, command.decisions, strict=True)
        ]
        if key:
            await keep_results(work.session, key, results)
    for decision, result in zip(command.decisions, results, strict=True):
        services.metrics.decisions.labels(decision.action, result.outcome).inc()
    return Results(results), False


def _decide(sitting: Sitting, comment_id: UUID | None, decision: Decision) -> Result:
    comment = sitting.find(comment_id)
    if comment is None:
        return Result(decision.comment, "not_found", None, None)
    is_second = sitting.is_second_mention(comment)
    is_overtaken = is_stale(comment, decision.action, decision.version)
    if is_second or is_overtaken or sitting.is_claimed_by_another(comment):
        return view_result(comment, "conflict")
    action, why = decision.action, {"reason": decision.reason, "note": decision.note}
    if has_edit(sitting.work, comment) and decides_edit(action, comment.status):
        is_taken = action == "approve"
        entry = settle_edit(sitting.work, comment, action, is_taken=is_taken, **why)
    elif is_legal(action, comment.status):
        entry = move_comment(sitting.work, comment, action, RESULT[action], **why)
    else:
        return view_result(comment, "illegal")
    return view_result(comment, "applied", entry)


async def undo_decisions(services: Services, caller: Caller, command: UndoDecisions) -> Results:
    """Put back the status from before each decision, unless the comment has changed since.

    An author's own withdrawal is not undone. Raises NotAllowed.
    """
    ids = [parse_id(decision) for decision in command.decisions]
    async with services.changing(caller.moderator_id) as work:
        entries = await _read_decisions(work.session, [one for one in ids if one])
        wanted = [entry.comment_id for entry in entries.values() if entry.comment_id]
        sitting = Sitting(work, caller, await lock_comments(work, wanted))
        results = [
            await _undo(sitting, entries.get(decision_id) if decision_id else None)
            for decision_id in ids
        ]
    for result in results:
        services.metrics.decisions.labels("undo", result.outcome).inc()
    return Results(results)


async def _read_decisions(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, LogEntry]:
    query = select(LogEntry).where(
        col(LogEntry.id).in_(ids), col(LogEntry.action).in_({*UNDOABLE, "withdraw"})
    )
    return {entry.id: entry for entry in (await session.exec(query)).all()}


async def _undo(sitting: Sitting, entry: LogEntry | None) -> Result:
    comment = sitting.find(entry.comment_id) if entry else None
    if comment is None or entry is None:
        return Result(None, "not_found", None, None)
    is_overtaken = comment.version != entry.version
    if sitting.is_second_mention(comment) or is_overtaken or sitting.is_claimed_by_another(comment):
        return view_result(comment, "conflict")
    # A decision about an edit has changed no status, so there is none to put back.
    if entry.action not in UNDOABLE or entry.from_status == entry.to_status:
        return view_result(comment, "illegal")
    before: Status = entry.from_status  # type: ignore[assignment]  # A decision always has one.
    reason = await read_reason(sitting.work.session, entry, before)
    return view_result(
        comment, "applied", move_comment(sitting.work, comment, "undo", before, reason=reason)
    )
