"""What a comment is: its statuses, the table of legal changes, and what the public sees of a thread."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

import msgspec

Status = Literal["pending", "approved", "rejected", "spam", "withdrawn", "erased"]
# What a moderator decides; the others are what becomes of a comment at its author's wish.
DecisionAction = Literal["approve", "reject", "spam", "requeue"]
Action = DecisionAction | Literal["withdraw", "erase"]
Visibility = Literal["hidden", "visible", "tombstone"]

STATUSES: tuple[Status, ...] = get_args(Status)

RESULT: Mapping[Action, Status] = {
    "approve": "approved",
    "reject": "rejected",
    "spam": "spam",
    "requeue": "pending",
    "withdraw": "withdrawn",
    "erase": "erased",
}

LEGAL_FROM: Mapping[Action, frozenset[Status]] = {
    "approve": frozenset({"pending", "rejected", "spam"}),
    "reject": frozenset({"pending", "approved", "spam"}),
    "spam": frozenset({"pending", "approved", "rejected"}),
    "requeue": frozenset({"approved", "rejected", "spam"}),
    "withdraw": frozenset({"pending", "approved", "rejected", "spam"}),
    "erase": frozenset(STATUSES),
}

# A comment that its author took back keeps its place while replies stand below it.
LEAVES_TOMBSTONE: frozenset[Status] = frozenset({"withdrawn", "erased"})
# Statuses in which the same text may be sent again.
FREES_FINGERPRINT = LEAVES_TOMBSTONE
# Statuses in which an author may correct the text, and the only ones in which an edit goes on waiting.
TAKES_EDITS: frozenset[Status] = frozenset({"pending", "approved"})
# Actions that no edit by the author makes stale.
WHATEVER_IT_SAYS: frozenset[Action] = frozenset({"spam", "requeue", "erase"})


def is_legal(action: Action, status: Status) -> bool:
    """Tell whether an action may be taken on a comment of this status."""
    return status in LEGAL_FROM[action]


def decides_edit(action: Action, status: Status) -> bool:
    """Tell whether an action, where an edit waits, is about the edit and leaves the comment's status."""
    return status == "approved" and action in {"approve", "reject"}


def is_stale(comment: "LockedComment", action: Action, version: int) -> bool:
    """Tell whether a decision goes by a comment that is another one by now.

    What takes a comment away is about its author as much as about the text, so that no edit fends it off: it
    goes by the status, which is still the same where nothing but edits has raised the version.
    """
    if version == comment.version:
        return False
    is_only_edited = (
        comment.edited_from is not None
        and comment.edited_to == comment.version
        and comment.edited_from <= version < comment.version
    )
    return not (action in WHATEVER_IT_SAYS and is_only_edited)


def lets_through(status: Status) -> bool:
    """Tell whether what answers a comment of this status may be seen."""
    return status == "approved" or status in LEAVES_TOMBSTONE


class WaitingEdit(msgspec.Struct, frozen=True):
    """A new text that waits beside a comment."""

    text: str
    html: str
    markup: int
    search: str | None
    # What the comment has as its fingerprint once the edit is dropped.
    former_print: bytes | None


class LockedComment(msgspec.Struct):
    """A comment as far as its status concerns, as it is while a transaction holds its lock.

    It is a node of its thread as well; what stands below it is looked up where it `has_replies`.
    """

    id: UUID
    site_id: UUID
    article_id: UUID
    parent_id: UUID | None
    depth: int
    status: Status
    visibility: Visibility
    version: int
    edited_from: int | None
    edited_to: int | None
    fingerprint: bytes | None
    claimed_by: UUID | None
    claimed_until: datetime | None
    has_replies: bool
    edit: WaitingEdit | None = None
    author: bytes = b""
    """The keyed index of the author's address."""


class ThreadNode(msgspec.Struct, frozen=True):
    """A comment as far as visibility depends on it, and the visibility that it had."""

    id: UUID
    parent_id: UUID | None
    depth: int
    status: Status
    visibility: Visibility = "hidden"
    article_id: UUID | None = None


Node = ThreadNode | LockedComment


def decide_visibility(nodes: Iterable[Node]) -> dict[UUID, Visibility]:
    """Decide what the public sees of threads.

    Visible is what is approved below nothing but visible comments and tombstones; a tombstone is a
    withdrawn or erased comment below such, with something visible under it.
    """
    ordered = sorted(nodes, key=lambda node: node.depth)
    passable: dict[UUID | None, bool] = {None: True}
    for node in ordered:
        passable[node.id] = passable[node.parent_id] and lets_through(node.status)
    seen: dict[UUID, Visibility] = {}
    supported: set[UUID | None] = set()
    for node in reversed(ordered):
        seen[node.id] = _see(node, passable[node.id], node.id in supported)
        if seen[node.id] != "hidden":
            supported.add(node.parent_id)
    return seen


def _see(node: Node, is_passable: bool, has_visible_replies: bool) -> Visibility:
    if not is_passable:
        return "hidden"
    if node.status == "approved":
        return "visible"
    return "tombstone" if has_visible_replies else "hidden"
