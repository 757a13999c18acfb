"""Writing the log, and finding heads in it."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from service.database import insert_new
from service.modlog.rules import START, Head, entry_bytes
from service.modlog.tables import LogEntry, LogHead
from service.modlog.texts import salt_text
from service.privacy.vault import Keyring

# Heads that are looked up at a time.
CHUNK = 1_000


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
    notes = [
        salt_text(keyring.mac, entry, texts[entry.id]) for entry in entries if entry.id in texts
    ]
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
    return head


async def _lock_head(session: AsyncSession, site_id: UUID) -> Head:
    query = select(LogHead.length, LogHead.mac).where(LogHead.site_id == site_id).with_for_update()
    found = (await session.exec(query)).first()
    if found is None:
        # The first entry of all; of two who make the head at once, one waits for the other's commit.
        first = {"site_id": site_id, "length": 0, "mac": START}
        await session.exec(insert_new(session, LogHead, first))
        found = (await session.exec(query)).one()
    return Head(*found)


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
