"""What a commenter may know and do about a submission."""

from datetime import datetime, timedelta
from typing import Literal

from msgspec import UNSET

from service.comments.rules import LEAVES_TOMBSTONE, TAKES_EDITS, is_legal
from service.comments.tables import Comment, ProposedEdit
from service.errors import Conflict
from service.receipts.errors import EditWindowClosed
from service.receipts.schemas import OwnComment, Receipt
from service.sites.policy import SitePolicy


def has_expired(comment: Comment, policy: SitePolicy, now: datetime) -> bool:
    """Tell whether a receipt has ended, `receipt_days` after the submission."""
    return now >= comment.submitted_at + timedelta(days=policy.receipt_days)


def edit_ends_at(comment: Comment, policy: SitePolicy) -> datetime:
    """Give the moment from which on a comment can no longer be corrected."""
    return comment.submitted_at + _edit_window(policy)


def _edit_window(policy: SitePolicy) -> timedelta:
    return timedelta(seconds=policy.edit_window_seconds)


def require_editable(comment: Comment, policy: SitePolicy, now: datetime) -> None:
    """Raise Conflict for a comment whose status lets nobody correct it, or EditWindowClosed."""
    if may_edit(comment, policy, now):
        return
    if comment.status in TAKES_EDITS:
        raise EditWindowClosed
    raise Conflict("Only a comment that is pending or published can be corrected.")


def may_edit(comment: Comment, policy: SitePolicy, now: datetime) -> bool:
    """Tell whether the author may correct the text now."""
    # Either way: a clock that was ahead at the submission must not leave the window open until then.
    since = abs(now - comment.submitted_at)
    return comment.status in TAKES_EDITS and since < _edit_window(policy)


def view_receipt(
    comment: Comment, proposed: str | None, article: str, policy: SitePolicy, now: datetime
) -> Receipt:
    """Give a submission as its author sees it: spam looks rejected, and its reason is not told.

    `proposed` is the text that waits beside an approved comment. One that was only rendered anew is no
    correction.
    """
    is_rejected = comment.status == "rejected"
    reason = comment.reason if is_rejected else None
    can: list[Literal["edit", "withdraw"]] = ["edit"] if may_edit(comment, policy, now) else []
    if is_legal("withdraw", comment.status):
        can.append("withdraw")
    return Receipt(
        status="rejected" if comment.status == "spam" else comment.status,
        article=article,
        submitted_at=comment.submitted_at,
        decided_at=comment.decided_at,
        reason=reason,
        statement=policy.statement(reason),
        can=can,
        edit=UNSET if proposed in {None, comment.text} else True,
    )


def view_own(
    comment: Comment, edit: ProposedEdit | None, policy: SitePolicy, now: datetime
) -> OwnComment:
    """Give the texts of a comment as its author sees them on the page of the receipt."""
    if comment.status in LEAVES_TOMBSTONE:
        return OwnComment(None, None, "", None)
    return OwnComment(
        html=comment.html,
        proposed_html=edit.html if edit else None,
        text=(edit or comment).text,
        edit_until=edit_ends_at(comment, policy) if may_edit(comment, policy, now) else None,
    )
