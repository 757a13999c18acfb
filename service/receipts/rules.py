"""What a commenter may know and do about a submission."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec
from msgspec import UNSET

from service.comments.rules import LEAVES_TOMBSTONE, TAKES_EDITS, is_legal
from service.comments.tables import Comment, ProposedEdit
from service.errors import Conflict
from service.receipts.errors import EditWindowClosed
from service.receipts.schemas import OwnComment, Receipt
from service.sites.directory import KnownSite


class Held(msgspec.Struct, frozen=True):
    """A comment that a valid receipt speaks of, with the edit that waits, and its article and site."""

    comment: Comment
    edit: ProposedEdit | None
    article: str
    site: KnownSite

    @property
    def chars(self) -> int:
        """Give how much a page has to hold that shows the texts."""
        shown = [self.comment.html, self.edit.html if self.edit else None]
        return sum(len(html or "") for html in shown)

    def has_expired(self, now: datetime) -> bool:
        """Tell whether the receipt has ended, `receipt_days` after the submission."""
        return now >= self.comment.submitted_at + timedelta(days=self.site.policy.receipt_days)

    @property
    def _edit_window(self) -> timedelta:
        return timedelta(seconds=self.site.policy.edit_window_seconds)

    def may_edit(self, now: datetime) -> bool:
        """Tell whether the author may correct the text now."""
        # Either way: a clock that was ahead at the submission must not leave the window open until then.
        since = abs(now - self.comment.submitted_at)
        return self.comment.status in TAKES_EDITS and since < self._edit_window

    def require_editable(self, now: datetime) -> None:
        """Raise Conflict for a comment whose status lets nobody correct it, or EditWindowClosed."""
        if self.may_edit(now):
            return
        if self.comment.status in TAKES_EDITS:
            raise EditWindowClosed
        raise Conflict("Only a comment that is pending or published can be corrected.")

    def view(self, now: datetime, proposed: str | None = None) -> Receipt:
        """Give a submission as its author sees it: spam looks rejected, and its reason is not told.

        `proposed` is a text that waits beside an approved comment in place of the edit. One that was only
        rendered anew is no correction.
        """
        comment, proposed = self.comment, self.edit.text if self.edit else proposed
        reason = comment.reason if comment.status == "rejected" else None
        can: list[Literal["edit", "withdraw"]] = ["edit"] if self.may_edit(now) else []
        if is_legal("withdraw", comment.status):
            can.append("withdraw")
        return Receipt(
            status="rejected" if comment.status == "spam" else comment.status,
            article=self.article,
            submitted_at=comment.submitted_at,
            decided_at=comment.decided_at,
            reason=reason,
            statement=self.site.policy.statement(reason),
            can=can,
            edit=UNSET if proposed in {None, comment.text} else True,
        )

    def view_own(self, now: datetime) -> OwnComment:
        """Give the texts of a comment as its author sees them on the page of the receipt."""
        comment, edit = self.comment, self.edit
        if comment.status in LEAVES_TOMBSTONE:
            return OwnComment(None, None, "", None)
        return OwnComment(
            html=comment.html,
            proposed_html=edit.html if edit else None,
            text=(edit or comment).text,
            edit_until=comment.submitted_at + self._edit_window if self.may_edit(now) else None,
        )
