"""What moderators send and see."""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from service.accounts.schemas import ModeratorRef
from service.comments.rules import STATUSES, DecisionAction, Status
from service.errors import FieldRefused
from service.http.tidy import some_lines
from service.http.told import CHECK
from service.http.wire import ID_EXAMPLES, SEEN, Article, Cursor, Id, SiteSlug, Time
from service.moderation.rules import LONGEST_LEASE_SECONDS
from service.sites.kinds import ReasonCode
from service.telemetry.confidential import Confidential
from service.text.folding import fold

MAX_NOTE_CHARS = 2_000
# Any text: what is no id of the caller's is told as `not_found`, one by one.
GivenId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        description="A UUIDv7 in canonical form.",
        examples=ID_EXAMPLES,
        extra_json_schema=SEEN,
    ),
]
LoggedStatus = Annotated[str, Meta(extra_json_schema={"enum": list(STATUSES)})]
Limit = Annotated[int, Meta(ge=1, le=200)]
Note = Annotated[str, some_lines(MAX_NOTE_CHARS)]
LeaseSeconds = Annotated[int, Meta(ge=30, le=LONGEST_LEASE_SECONDS)]
Outcome = Literal["applied", "conflict", "not_found", "illegal"]


def _check_sought(text: str) -> None:
    if not fold(text):
        raise FieldRefused("q_invalid", "Nothing is left of this without case, accents and blanks.")


Sought = Annotated[
    str,
    Meta(
        min_length=2,
        max_length=200,
        description="Looked for in name, text and hosts of links, whatever case, accents and width.",
        extra={CHECK: _check_sought},
    ),
]


class ListQueue(msgspec.Struct, frozen=True):
    """Which comments to list; without `site` those of all the caller's sites."""

    site: SiteSlug | None = None
    status: Status = "pending"
    article: Annotated[Article, Meta(min_length=1)] | None = None
    q: Sought | None = None
    order: Literal["oldest", "newest", "risk"] = "oldest"
    limit: Limit = 50
    cursor: Cursor | None = None


class Claim(msgspec.Struct, frozen=True):
    """Who holds a comment, and until when."""

    by: ModeratorRef
    expires_at: Time


class AuthorRecord(msgspec.Struct, frozen=True):
    """How many comments under this address ended how on this site."""

    approved: int = 0
    rejected: int = 0
    spam: int = 0


class Proposed(msgspec.Struct, frozen=True):
    """A text that the author wants in the place of the present one, and when that was sent."""

    text: str
    html: str
    submitted_at: Time


class QueuedComment(msgspec.Struct, frozen=True, kw_only=True):
    """A comment as its moderators see it; with `edit` its author's new text waits in `proposed`."""

    id: Id
    site: str
    article: str
    parent: Id | None
    name: str
    email_hint: str | None
    url: str | None
    text: str
    html: str
    status: Status
    version: int
    edit: bool
    proposed: Proposed | None
    submitted_at: Time
    decided_at: Time | None
    risk: float | None
    signals: list[dict[str, Any]]
    author: AuthorRecord
    claim: Claim | None


class Queue(msgspec.Struct, frozen=True):
    """A page of comments; `counts` has every status of the sites asked for and heeds no other filter."""

    comments: list[QueuedComment]
    next: str | None
    counts: dict[Status, int]


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the log. `note` is null where there was none, and where `note_erased` says so."""

    id: Id
    site: str | None
    seq: int
    at: Time
    actor: ModeratorRef | None
    action: str
    comment: Id | None
    from_status: LoggedStatus | None = field(name="from")
    to_status: LoggedStatus | None = field(name="to")
    version: int | None
    reason: str | None
    subject: str | None
    note: str | None
    note_erased: bool
    hash: str


class CommentDetail(QueuedComment, frozen=True, kw_only=True):
    """A comment with all that was done to it, the oldest first."""

    log: list[LogLine]


class ListLog(msgspec.Struct, frozen=True):
    """Which entries to list, the newest first."""

    site: SiteSlug | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class LogPage(msgspec.Struct, frozen=True):
    """A page of the log."""

    entries: list[LogLine]
    next: str | None


class ClaimComments(msgspec.Struct, frozen=True):
    """Take pending comments of a site into one's hands for a while."""

    site: SiteSlug
    limit: Annotated[int, Meta(ge=1, le=50)]
    lease_seconds: LeaseSeconds
    order: Literal["oldest", "risk"] = "oldest"


class RenewClaims(msgspec.Struct, frozen=True):
    """Hold on to comments that one has claimed."""

    comments: Annotated[list[GivenId], Meta(min_length=1, max_length=200)]
    lease_seconds: LeaseSeconds


class Claimed(msgspec.Struct, frozen=True):
    """The comments that are now in one's hands through this request."""

    comments: list[QueuedComment]
    expires_at: Time


class Decision(msgspec.Struct, frozen=True):
    """One decision on one comment, as it was when the moderator saw it."""

    comment: GivenId
    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    action: DecisionAction
    reason: ReasonCode | None = None
    note: Note | None = None


class DecideComments(msgspec.Struct, frozen=True):
    """Decisions, applied one after the other."""

    decisions: Annotated[list[Decision], Meta(min_length=1, max_length=100)]


class UndoDecisions(msgspec.Struct, frozen=True):
    """Decisions to be taken back, by their ids."""

    decisions: Annotated[list[GivenId], Meta(min_length=1, max_length=100)]


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one decision; `status` and `version` are the comment's present ones."""

    comment: str | None
    outcome: Outcome
    status: Status | None
    version: int | None
    decision: Id | None = None


class Results(msgspec.Struct, frozen=True):
    """What became of the decisions, in the order asked."""

    results: list[Result]


class RevealEmail(msgspec.Struct, frozen=True):
    """Why the address has to be seen; it goes to the log."""

    purpose: Note


class RevealedEmail(Confidential, frozen=True):
    """The address of a commenter."""

    email: str


class ShowStats(msgspec.Struct, frozen=True):
    """Whose figures, and for how many days back."""

    site: SiteSlug | None = None
    days: Annotated[int, Meta(ge=1, le=366)] = 30


class DayStats(msgspec.Struct, frozen=True):
    """What happened on one day (UTC), by `submitted` and the names of actions."""

    day: date
    events: dict[str, int]


class Stats(msgspec.Struct, frozen=True):
    """How many comments have which status now, and what happened lately; days with nothing are left out."""

    statuses: dict[Status, int]
    days: list[DayStats]
