"""What a commenter sees of a submission."""

from typing import Literal

import msgspec

from service.http.wire import Time


class Receipt(msgspec.Struct, frozen=True):
    """The state of one submission; `can` lists what its author may still do."""

    status: Literal["pending", "approved", "rejected", "withdrawn", "erased"]
    article: str
    submitted_at: Time
    decided_at: Time | None
    reason: str | None
    statement: str | None
    can: list[Literal["withdraw"]]
