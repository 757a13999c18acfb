"""What a commenter sees of a submission."""

from datetime import datetime

import msgspec


class Receipt(msgspec.Struct, frozen=True):
    """The state of one submission; `can` lists what its author may still do."""

    status: str
    article: str
    submitted_at: datetime
    decided_at: datetime | None
    reason: str | None
    statement: str | None
    can: list[str]
