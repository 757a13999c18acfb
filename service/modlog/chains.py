"""Entries for the chains of several sites, written in one transaction."""

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from service.modlog.operations import append_entries
from service.modlog.tables import LogEntry
from service.privacy.vault import Keyring


class Entries:
    """Gathers entries, and appends them chain by chain in one order: no two writers wait in a circle."""

    def __init__(self) -> None:
        self._by_chain: dict[UUID, list[LogEntry]] = {}

    def add(self, site_id: UUID, entry: LogEntry) -> None:
        """Take an entry for the chain of a site, or for the installation's under NO_SITE."""
        self._by_chain.setdefault(site_id, []).append(entry)

    async def append(self, session: AsyncSession, keyring: Keyring) -> None:
        """Append everything; it locks the heads of the chains, so it comes last in a transaction."""
        for site_id in sorted(self._by_chain):
            await append_entries(session, keyring, site_id, self._by_chain[site_id])
