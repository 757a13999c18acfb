"""One unit of work: whoever changes something says what happens, and what follows is seen to at the end."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast
from uuid import UUID

from sqlalchemy import Connection
from sqlmodel.ext.asyncio.session import AsyncSession

from service.changes import Change
from service.modlog.operations import append_entries
from service.modlog.rules import Entry, Head
from service.privacy.vault import Keyring

P = ParamSpec("P")
R = TypeVar("R")


class Part(Protocol):
    """What is gathered of one kind of change, and written together before the log."""

    def write(self, work: "Work") -> None:
        """Write it."""


K = TypeVar("K", bound=Part)


class Work:
    """A transaction of one actor at one moment. Whatever it changes is logged by it.

    At its end come, in the one order in which all lock: what was gathered, then the heads of the logs. After
    the commit those who listen hear what has changed in public.
    """

    def __init__(
        self,
        connection: Connection,
        keyring: Keyring,
        now: datetime,
        actor_id: UUID | None,
        session: AsyncSession | None = None,
    ) -> None:
        self.connection = connection
        self.keyring = keyring
        self.now = now
        self.actor_id = actor_id
        self.public: set[Change] = set()
        """Of what the public sees something else than before."""
        self.heads: dict[UUID, Head] = {}
        """The new heads of the logs, once it is closed."""
        self._session = session
        self._parts: dict[type[Part], Part] = {}
        self._entries: dict[UUID, list[Entry]] = {}

    @property
    def session(self) -> AsyncSession:
        """The session of a block. What is a function from its beginning to its end has the connection."""
        assert self._session is not None  # noqa: S101 - Nobody can await it there.
        return self._session

    async def run(self, do: Callable[Concatenate["Work", P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do in a block what is a function."""
        return await self.session.run_sync(lambda _: do(self, *args, **kwargs))

    def part(self, kind: type[K]) -> K:
        """Give what is gathered of a kind, which is made for the first who asks."""
        if kind not in self._parts:
            self._parts[kind] = kind()
        return cast(K, self._parts[kind])

    def log(self, site_id: UUID, action: str, subject: object = None, **about: Any) -> Entry:
        """Note an entry for the log of a site, or of the installation (NO_SITE), and give it.

        `subject` is what it was done to that is no comment, as ids and codes only; `about` are other fields.
        """
        named = None if subject is None else str(subject)
        entry = Entry(site_id, self.now, self.actor_id, action, subject=named, **about)
        self._entries.setdefault(site_id, []).append(entry)
        return entry

    def close(self) -> None:
        """Write all that was gathered."""
        for part in self._parts.values():
            part.write(self)
        for site_id in sorted(self._entries):
            self.heads[site_id] = append_entries(
                self.connection, self.keyring, site_id, self._entries[site_id]
            )
