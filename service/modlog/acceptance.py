"""Accepting a chain as it is, although heads that are remembered say that it was longer or another.

It is what somebody says who has restored a backup that is older than those heads. They are set aside, not
deleted, and that it was done stands in the log itself.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from service.modlog.operations import find_proven
from service.modlog.rules import Head

ACTION = "log.accepted"


async def find_misfits(
    session: AsyncSession, site_id: UUID, remembered: Sequence[Head]
) -> list[Head]:
    """Give the remembered heads whose entries the chain does not hold as they were."""
    proven = await find_proven(session, site_id, remembered)
    return [head for head in dict.fromkeys(remembered) if head not in proven]


def describe_acceptance(site_id: UUID, misfits: Sequence[Head]) -> str:
    """Say for the record that heads of a chain are set aside, and which of them was the longest."""
    longest = max(misfits, key=lambda head: head.length)
    return f"{site_id} heads={len(misfits)} longest={longest.length}:{longest.mac.hex()}"
