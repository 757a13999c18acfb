"""Writing the log, and checking it."""

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from service.database import insert_new
from service.modlog.rules import START, Flaw, Head, entry_bytes, find_flaws
from service.modlog.tables import LogEntry, LogHead, LogText
from service.privacy.vault import Keyring

SALT_BYTES = 16
# Entries that are read at a time.
CHUNK = 1_000
# Under this name a session carries the heads that are to be noted outside the database after its commit.
NEW_HEADS = "new_log_heads"


def hash_text(salt: bytes, text: str) -> bytes:
    """Hash free text under its own salt, so that nothing can be guessed once the salt is erased."""
    return sha256(salt + text.encode()).digest()


async def append_entries(
    session: AsyncSession,
    keyring: Keyring,
    site_id: UUID,
    entries: Sequence[LogEntry],
    texts: Mapping[UUID, str] | None = None,
) -> Head:
    """Append entries to the chain of their site, in order, and give its new head.

    `texts` holds the free text of entries by their ids. It locks the chain's head until the commit, so it
    comes last in a transaction. `site_id`, `seq`, `text_hash`, `previous` and `mac` are set here.
    """
    head = await _lock_head(session, site_id)
    texts = texts or {}
    notes = [_salt_text(entry, texts[entry.id]) for entry in entries if entry.id in texts]
    for entry in entries:
        entry.site_id, entry.seq, entry.previous = site_id, head.length + 1, head.mac
        entry.mac = keyring.mac("log", entry_bytes(entry))
        head = Head(entry.seq, entry.mac)
    session.add_all(entries)
    # The texts refer to the entries by a foreign key that the session does not know of.
    await session.flush()
    session.add_all(notes)
    await session.exec(
        update(LogHead)
        .where(col(LogHead.site_id) == site_id)
        .values(length=head.length, mac=head.mac)
    )
    session.info.setdefault(NEW_HEADS, {})[site_id] = head
    return head


def _salt_text(entry: LogEntry, text: str) -> LogText:
    salt = secrets.token_bytes(SALT_BYTES)
    entry.text_hash = hash_text(salt, text)
    return LogText(entry_id=entry.id, salt=salt, text=text)


async def _lock_head(session: AsyncSession, site_id: UUID) -> Head:
    query = select(LogHead.length, LogHead.mac).where(LogHead.site_id == site_id).with_for_update()
    found = (await session.exec(query)).first()
    if found is None:
        # The first entry of all; of two who make the head at once, one waits for the other's commit.
        first = {"site_id": site_id, "length": 0, "mac": START}
        await session.exec(insert_new(session, LogHead, first))
        found = (await session.exec(query)).one()
    return Head(*found)


async def verify_chain(
    session: AsyncSession, keyring: Keyring, site_id: UUID, heads: Sequence[Head]
) -> list[Flaw]:
    """Check one chain against the heads that somebody remembers, and the texts that are not erased.

    The heads have to be read before anything else is: what is appended meanwhile is no flaw. It ends the
    session's transaction between the pieces that it reads.
    """

    def check(_: object) -> list[Flaw]:
        plain = session.sync_session
        return [*_check_chain(plain, keyring, site_id, heads), *_check_texts(plain, site_id)]

    return await session.run_sync(check)


async def find_proven(
    session: AsyncSession, site_id: UUID, heads: Collection[Head]
) -> frozenset[Head]:
    """Give those of some heads whose entries the chain holds, as they are."""
    in_chain = select(LogEntry.seq, LogEntry.mac).where(LogEntry.site_id == site_id)
    places = sorted({head.length for head in heads})
    found: set[Head] = set()
    for start in range(0, len(places), CHUNK):
        query = in_chain.where(col(LogEntry.seq).in_(places[start : start + CHUNK]))
        found.update(Head(*row) for row in (await session.exec(query)).all())
    return frozenset(found.intersection(heads))


def _check_chain(
    session: Session, keyring: Keyring, site_id: UUID, heads: Sequence[Head]
) -> Iterator[Flaw]:
    in_chain = col(LogEntry.site_id) == site_id

    @cache
    def places() -> dict[bytes, int]:
        return dict(session.exec(select(LogEntry.mac, LogEntry.seq).where(in_chain)).all())

    query = select(LogEntry.seq, LogEntry).where(in_chain)
    return find_flaws(
        (entry for _, entry in _read_in_pieces(session, query)),
        lambda message: keyring.mac("log", message),
        # Read at the first suspicion only: for a long chain they take much room.
        lambda mac: places().get(mac),
        heads,
    )


def _check_texts(session: Session, site_id: UUID) -> Iterator[Flaw]:
    query = (
        select(LogEntry.seq, LogEntry, LogText)
        .join(LogEntry, col(LogEntry.id) == LogText.entry_id)
        .where(LogEntry.site_id == site_id)
    )
    for seq, entry, text in _read_in_pieces(session, query):
        if hash_text(text.salt, text.text) != entry.text_hash:
            yield Flaw("changed", seq, entry.id, "Its free text was changed.")


def _read_in_pieces(session: Session, query: Any) -> Iterator[Any]:
    """Read rows that begin with `seq` in its order, each piece in a transaction of its own.

    One transaction over a long chain would keep SQLite's journal growing, and PostgreSQL's dead rows.
    """
    ordered = query.order_by(col(LogEntry.seq)).limit(CHUNK)
    piece = session.exec(ordered).all()
    while piece:
        yield from piece
        last = piece[-1][0]
        session.rollback()
        piece = session.exec(ordered.where(col(LogEntry.seq) > last)).all()
