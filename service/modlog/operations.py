"""Writing the log, finding heads in it, and accepting a chain that heads speak against.

That is what somebody says who has restored a backup that is older than those heads. They are set aside, not
deleted, and that it was done stands in the log itself.
"""

import secrets
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, bindparam, insert, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.database import insert_new, table_of
from service.modlog.rules import SALT_BYTES, START, Entry, Head, entry_bytes, hash_text
from service.modlog.tables import LogEntry, LogHead, LogText
from service.privacy.vault import Keyring

# Heads that are looked up at a time.
CHUNK = 1_000
ACCEPTED = "log.accepted"
_ENTRY, _TEXT, _HEAD = table_of(LogEntry), table_of(LogText), table_of(LogHead)
_IS_OF_CHAIN = _HEAD.c.site_id == bindparam("chain")
_LOCK_HEAD: Any = select(_HEAD.c.length, _HEAD.c.mac).where(_IS_OF_CHAIN).with_for_update()
_MOVE_HEAD = update(_HEAD).where(_IS_OF_CHAIN)


def append_entries(connection: Connection, keyring: Keyring, site_id: UUID, entries: Sequence[Entry]) -> Head:
    """Append entries to the chain of their site, in order, and give its new head.

    It locks the chain's head until the commit, so it comes last in a transaction.
    """
    head = _lock_head(connection, site_id)
    rows: list[dict[str, Any]] = []
    texts: list[dict[str, Any]] = []
    for entry in entries:
        if entry.text:
            # Its own for each text: once that is erased, nothing can be guessed.
            salt = secrets.token_bytes(SALT_BYTES)
            entry.text_hash = hash_text(keyring.mac, salt, entry.text)
            texts.append({"entry_id": entry.id, "salt": salt, "text": entry.text})
        entry.seq, entry.previous = head.length + 1, head.mac
        entry.mac = keyring.mac("log", entry_bytes(entry))
        head = Head(entry.seq, entry.mac)
        rows.append(msgspec.structs.asdict(entry))
        del rows[-1]["text"]
    connection.execute(insert(_ENTRY), rows)
    if texts:
        connection.execute(insert(_TEXT), texts)
    connection.execute(_MOVE_HEAD, {"chain": site_id, "length": head.length, "mac": head.mac})
    return head


def _lock_head(connection: Connection, site_id: UUID) -> Head:
    found = connection.execute(_LOCK_HEAD, {"chain": site_id}).first()
    if found is None:
        # The first entry of all; of two who make the head at once, one waits for the other's commit.
        first = {"site_id": site_id, "length": 0, "mac": START}
        connection.execute(insert_new(connection, LogHead), first)
        found = connection.execute(_LOCK_HEAD, {"chain": site_id}).one()
    return Head(*found)


async def find_proven(session: AsyncSession, site_id: UUID, heads: Collection[Head]) -> frozenset[Head]:
    """Give those of some heads whose entries the chain holds, as they are."""
    in_chain = select(LogEntry.seq, LogEntry.mac).where(LogEntry.site_id == site_id)
    places = sorted({head.length for head in heads})
    found: set[Head] = set()
    for start in range(0, len(places), CHUNK):
        query = in_chain.where(col(LogEntry.seq).in_(places[start : start + CHUNK]))
        found.update(Head(*row) for row in (await session.exec(query)).all())
    return frozenset(found.intersection(heads))


async def find_misfits(session: AsyncSession, site_id: UUID, remembered: Sequence[Head]) -> list[Head]:
    """Give the remembered heads whose entries the chain does not hold as they were."""
    proven = await find_proven(session, site_id, remembered)
    return [head for head in dict.fromkeys(remembered) if head not in proven]


def describe_acceptance(site_id: UUID, misfits: Sequence[Head]) -> str:
    """Say for the record that heads of a chain are set aside, and which of them was the longest."""
    longest = max(misfits, key=lambda head: head.length)
    return f"{site_id} heads={len(misfits)} longest={longest.length}:{longest.mac.hex()}"
