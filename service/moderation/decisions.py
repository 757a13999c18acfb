"""Decisions and their undoing: each is one change of status, one entry in the log, all in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.rules import Caller, Role
from service.clock import parse_id
from service.comments.edits import WaitingEdit, read_edits
from service.comments.operations import Moves, Tallies, lock_comments, read_authors
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
    DecisionAction,
    Result,
    Results,
    UndoDecisions,
)
from service.modlog.entries import make_entry
from service.modlog.operations import append_entries
from service.modlog.tables import LogEntry
from service.services import Services

UNDOABLE = frozenset({"approve", "reject", "spam", "requeue", "undo"})


class Sitting:
    """One request's decisions as they are applied: what they changed, counted and have to log."""

    def __init__(
        self,
        caller: Caller,
        now: datetime,
        comments: dict[UUID, LockedComment],
        authors: dict[UUID, bytes],
        edits: Mapping[UUID, WaitingEdit],
    ) -> None:
        self.caller = caller
        self.now = now
        self._comments = comments
        self._authors = authors
        self._edits = edits
        self._seen: set[UUID] = set()
        self._moves = Moves(now, edits)
        self._tallies = Tallies()
        self._entries: dict[UUID, list[LogEntry]] = {}
        self._notes: dict[UUID, str] = {}

    def find(self, comment_id: UUID | None) -> LockedComment | None:
        """Give a comment that the caller may know of; raises NotAllowed where the role is too low."""
        comment = self._comments.get(comment_id) if comment_id else None
        if comment is None or self.caller.role_on(comment.site_id) is None:
            return None
        self.caller.require(comment.site_id, Role.MODERATOR)
        return comment

    def is_second_mention(self, comment: LockedComment) -> bool:
        """Tell whether this request spoke of the comment before; from now on it did."""
        seen = comment.id in self._seen
        self._seen.add(comment.id)
        return seen

    def is_claimed_by_another(self, comment: LockedComment) -> bool:
        is_another = comment.claimed_by not in {None, self.caller.moderator_id}
        return is_another and holds_claim(comment.claimed_until, self.now)

    def is_about_edit(self, comment: LockedComment, action: DecisionAction) -> bool:
        """Tell whether an action decides about an edit that waits, and not about the comment's status."""
        return comment.id in self._edits and decides_edit(action, comment.status)

    def settle_edit(self, comment: LockedComment, decision: Decision) -> Result:
        """Publish a waiting edit or drop it, and note what has to be logged and counted."""
        self._moves.settle_edit(comment, is_taken=decision.action == "approve")
        self._tallies.count_event(comment.site_id, decision.action, self.now)
        status, why = comment.status, (decision.reason, decision.note)
        return self._record(comment, decision.action, status, *why)

    def change(
        self,
        comment: LockedComment,
        action: str,
        to: Status,
        reason: str | None = None,
        note: str | None = None,
    ) -> Result:
        """Move a comment to a status and note what has to be written, logged and counted."""
        before = comment.status
        self._moves.add(comment, to, reason, takes_edit=action == "approve")
        author = self._authors.get(comment.id, b"")
        self._tallies.count_change(comment, author, before, to, action, self.now)
        return self._record(comment, action, before, reason, note)

    def _record(
        self,
        comment: LockedComment,
        action: str,
        before: Status,
        reason: str | None,
        note: str | None,
    ) -> Result:
        entry = make_entry(
            action,
            self.now,
            self.caller.moderator_id,
            comment_id=comment.id,
            from_status=before,
            to_status=comment.status,
            version=comment.version,
            reason=reason,
        )
        self._entries.setdefault(comment.site_id, []).append(entry)
        if note:
            self._notes[entry.id] = note
        return msgspec.structs.replace(view_result(comment, "applied"), decision=str(entry.id))

    async def close(self, services: Services, session: AsyncSession) -> None:
        """Write the changes and the counters, then the logs, site by site in one order."""
        await self._moves.write(session)
        await session.run_sync(lambda sync: self._tallies.write(sync.connection()))
        keyring = await services.vault.keyring(session)
        for site_id in sorted(self._entries):
            await append_entries(session, keyring, site_id, self._entries[site_id], self._notes)


async def open_sitting(
    services: Services, session: AsyncSession, caller: Caller, ids: Sequence[UUID]
) -> Sitting:
    """Lock the comments that will be decided on and read what is known of them."""
    comments = await lock_comments(session, ids)
    edits = await read_edits(session, await services.vault.keyring(session), comments)
    authors = await read_authors(session, comments)
    return Sitting(caller, services.clock(), comments, authors, edits)


def view_result(comment: LockedComment, outcome: str) -> Result:
    """Give what became of a decision, with the comment's present state."""
    return msgspec.convert(
        {
            "comment": str(comment.id),
            "outcome": outcome,
            "status": comment.status,
            "version": comment.version,
        },
        Result,
    )


async def decide_comments(
    services: Services, caller: Caller, command: DecideComments, idempotency_key: str | None
) -> tuple[Results, bool]:
    """Apply decisions one after the other; gives their results, and whether they are a replay.

    Raises NotAllowed when the role is too low for one of the comments, and IdempotencyKeyReused.
    """
    ids = [parse_id(decision.comment) for decision in command.decisions]
    async with services.writing() as session:
        key = await make_key(services, session, caller, command, idempotency_key)
        stored = await take_key(session, key) if key else None
        if stored is not None:
            seen = await check_rights_again(session, caller, stored)
            return Results(seen), seen == stored
        sitting = await open_sitting(services, session, caller, [one for one in ids if one])
        results = [
            _decide(sitting, comment_id, decision)
            for comment_id, decision in zip(ids, command.decisions, strict=True)
        ]
        await sitting.close(services, session)
        if key:
            await keep_results(session, key, results)
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
    if sitting.is_about_edit(comment, decision.action):
        return sitting.settle_edit(comment, decision)
    if not is_legal(decision.action, comment.status):
        return view_result(comment, "illegal")
    to = RESULT[decision.action]
    return sitting.change(comment, decision.action, to, decision.reason, decision.note)


async def undo_decisions(services: Services, caller: Caller, command: UndoDecisions) -> Results:
    """Put back the status from before each decision, unless the comment has changed since.

    An author's own withdrawal is not undone. Raises NotAllowed.
    """
    ids = [parse_id(decision) for decision in command.decisions]
    async with services.writing() as session:
        entries = await _read_decisions(session, [one for one in ids if one])
        comments = [entry.comment_id for entry in entries.values() if entry.comment_id]
        sitting = await open_sitting(services, session, caller, comments)
        results = [
            await _undo(session, sitting, entries.get(decision_id) if decision_id else None)
            for decision_id in ids
        ]
        await sitting.close(services, session)
    for result in results:
        services.metrics.decisions.labels("undo", result.outcome).inc()
    return Results(results)


async def _read_decisions(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, LogEntry]:
    query = select(LogEntry).where(
        col(LogEntry.id).in_(ids), col(LogEntry.action).in_({*UNDOABLE, "withdraw"})
    )
    return {entry.id: entry for entry in (await session.exec(query)).all()}


async def _undo(session: AsyncSession, sitting: Sitting, entry: LogEntry | None) -> Result:
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
    reason = await read_reason(session, entry, before)
    return sitting.change(comment, "undo", before, reason)
