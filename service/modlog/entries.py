"""Making entries of the log."""

from datetime import datetime
from typing import Any
from uuid import UUID

from service.clock import new_id
from service.modlog.rules import START
from service.modlog.tables import LogEntry
from service.privacy.vault import NO_SITE


def make_entry(action: str, now: datetime, actor_id: UUID | None, **facts: Any) -> LogEntry:
    """Make an entry; its place in a chain is given to it when it is appended.

    `facts` are further columns, such as `comment_id` or `subject`, which holds ids and codes only.
    """
    unplaced: dict[str, Any] = {"site_id": NO_SITE, "seq": 0, "previous": START, "mac": START}
    return LogEntry(id=new_id(), at=now, actor_id=actor_id, action=action, **unplaced, **facts)
