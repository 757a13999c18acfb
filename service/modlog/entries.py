"""Making entries of the log."""

from datetime import datetime
from uuid import UUID

from service.clock import new_id
from service.modlog.rules import START
from service.modlog.tables import LogEntry
from service.privacy.vault import NO_SITE


def make_entry(
    action: str,
    now: datetime,
    actor_id: UUID | None,
    *,
    comment_id: UUID | None = None,
    from_status: str | None = None,
    to_status: str | None = None,
    version: int | None = None,
    reason: str | None = None,
    subject: str | None = None,
) -> LogEntry:
    """Make an entry; its place in a chain is given to it when it is appended.

    `subject` is what was done to something that is no comment, as ids and codes only.
    """
    return LogEntry(
        id=new_id(),
        at=now,
        actor_id=actor_id,
        action=action,
        comment_id=comment_id,
        from_status=from_status,
        to_status=to_status,
        version=version,
        reason=reason,
        subject=subject,
        site_id=NO_SITE,
        seq=0,
        previous=START,
        mac=START,
    )
