"""What a commenter sees of a submission, and sends about it."""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from service.form.fields import Text
from service.http.wire import Time


class Receipt(msgspec.Struct, frozen=True):
    """The state of one submission; `can` lists what its author may still do.

    `edit` is there, and true, while a correction waits for a moderator.
    """

    status: Literal["pending", "approved", "rejected", "withdrawn", "erased"]
    article: str
    submitted_at: Time
    decided_at: Time | None
    reason: str | None
    statement: str | None
    can: list[Literal["edit", "withdraw"]]
    edit: bool | UnsetType = UNSET


class EditComment(msgspec.Struct, frozen=True):
    """The text that the comment is to have."""

    text: Text


class OwnComment(msgspec.Struct, frozen=True):
    """What the page of a receipt shows beside the receipt; there are no texts of a comment that is gone."""

    html: str | None
    # The correction that waits for a moderator.
    proposed_html: str | None
    # The text that stands once everything is decided, which a further correction begins with.
    text: str
    edit_until: datetime | None
