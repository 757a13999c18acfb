"""Accepting a chain as it is, although heads that are remembered say that it was longer or another.

It is what somebody says who has restored a backup that is older than those heads. They are set aside, not
deleted, and that it was done stands in the log itself.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from service.modlog.entries import make_entry
from service.modlog.operations import append_entries, find_proven
from service.modlog.rules import Head
from service.privacy.vault import Keyring

ACTION = "log.accepted"


async def find_misfits(
    session: AsyncSession, site_id: UUID, remembered: Sequence[Head]
) -> list[Head]:
    """Give the remembered heads whose entries the chain does not hold as they were."""
    proven = await find_proven(session, site_id, remembered)
    return [head for head in dict.fromkeys(remembered) if head not in proven]


async def record_acceptance(
    session: AsyncSession,
    keyring: Keyring,
    site_id: UUID,
    misfits: Sequence[Head],
    *,
    record_in: UUID,
    now: datetime,
) -> None:
    """Put on record that heads of a chain are set aside, and which of them was the longest."""
    longest = max(misfits, key=lambda head: head.length)
    subject = f"{site_id} heads={len(misfits)} longest={longest.length}:{longest.mac.hex()}"
    entry = make_entry(ACTION, now, None, subject=subject)
    await append_entries(session, keyring, record_in, [entry])
