"""One unit of work: whoever changes something says what happens, and what follows is seen to at the end."""

from datetime import datetime
from typing import Protocol, TypeVar, cast
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from service.changes import Change
from service.modlog.entries import make_entry
from service.modlog.operations import append_entries
from service.modlog.rules import Head
from service.modlog.tables import LogEntry
from service.privacy.vault import Keyring


class Part(Protocol):
    """What is gathered of one kind of change, and written together before the log."""

    async def write(self, work: "Work") -> None:
        """Write it."""


P = TypeVar("P", bound=Part)


class Work:
    """A transaction of one actor at one moment. Whatever it changes is logged by it.

    At its end come, in the one order in which all lock: what was gathered, then the heads of the logs. After
    the commit those who listen hear what has changed in public.
    """

    def __init__(
        self, session: AsyncSession, keyring: Keyring, now: datetime, actor_id: UUID | None
    ) -> None:
        self.session = session
        self.keyring = keyring
        self.now = now
        self.actor_id = actor_id
        self.public: set[Change] = set()
        """Of what the public sees something else than before."""
        self.heads: dict[UUID, Head] = {}
        """The new heads of the logs, once it is closed."""
        self._parts: dict[type[Part], Part] = {}
        self._entries: dict[UUID, list[LogEntry]] = {}
        self._texts: dict[UUID, str] = {}

    def part(self, kind: type[P]) -> P:
        """Give what is gathered of a kind, which is made for the first who asks."""
        if kind not in self._parts:
            self._parts[kind] = kind()
        return cast(P, self._parts[kind])

    def log(
        self, site_id: UUID, action: str, subject: object = None, *, text: str | None = None
    ) -> LogEntry:
        """Note an entry for the log of a site, or of the installation (NO_SITE).

        `subject` is what it was done to that is no comment, as ids and codes only; `text` is free.
        """
        named = None if subject is None else str(subject)
        return self.add_entry(
            site_id, make_entry(action, self.now, self.actor_id, subject=named), text
        )

    def add_entry(self, site_id: UUID, entry: LogEntry, text: str | None = None) -> LogEntry:
        """Note an entry that was made already."""
        self._entries.setdefault(site_id, []).append(entry)
        if text:
            self._texts[entry.id] = text
        return entry

    async def close(self) -> None:
        """Write all that was gathered."""
        for part in self._parts.values():
            await part.write(self)
        for site_id in sorted(self._entries):
            self.heads[site_id] = await append_entries(
                self.session, self.keyring, site_id, self._entries[site_id], self._texts
            )
