"""What a commenter may know and do about a submission."""

from datetime import datetime, timedelta

from service.comments.rules import is_legal
from service.comments.tables import Comment
from service.receipts.schemas import Receipt
from service.sites.policy import SitePolicy


def has_expired(comment: Comment, policy: SitePolicy, now: datetime) -> bool:
    """Tell whether a receipt has ended, `receipt_days` after the submission."""
    return now >= comment.submitted_at + timedelta(days=policy.receipt_days)


def view_receipt(comment: Comment, article: str, policy: SitePolicy) -> Receipt:
    """Give a submission as its author sees it: spam looks rejected, and its reason is not told."""
    is_rejected = comment.status == "rejected"
    reason = comment.reason if is_rejected else None
    return Receipt(
        status="rejected" if comment.status == "spam" else comment.status,
        article=article,
        submitted_at=comment.submitted_at,
        decided_at=comment.decided_at,
        reason=reason,
        statement=policy.statement(reason),
        can=["withdraw"] if is_legal("withdraw", comment.status) else [],
    )
