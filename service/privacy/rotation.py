"""Rotating the keys of addresses: a new key, then every address sealed and indexed anew, in batches.

It runs beside the service and can be stopped at any moment: what is left to do is what still lies
under an old key, so the next run goes on where this one ended. Old keys are deleted at the end, which
the foreign key from the addresses refuses as long as one of them is needed.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as core
from sqlalchemy import Connection, bindparam
from sqlalchemy.exc import OperationalError
from sqlmodel import col, delete, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.concurrency.pacing import Pace, rest
from service.database import Database, count_up, table_of
from service.privacy.addresses import fold_address
from service.privacy.tables import AUTHOR_COUNTS, AuthorTally, DataKey, SealedAddress
from service.privacy.vault import KEYRING_SECONDS, Keyring, Vault, lock_keys

# Addresses in the smallest piece, which is the first one, and in the largest.
BATCH = 50
MAX_BATCH = 1_000
# A piece that was in somebody's way is tried again so often in a row.
MAX_TRIES = 5
# Longer than a running process goes on with the keys that it knows, and than a submission takes.
SETTLE_SECONDS = KEYRING_SECONDS + 4

# Is told how many addresses are renewed, of how many; none of them at the beginning.
TellCount = Callable[[int, int], None]

_ADDRESS = table_of(SealedAddress)
_TALLY = table_of(AuthorTally)
_RESEAL = (
    core.update(_ADDRESS)
    .where(_ADDRESS.c.id == bindparam("row"))
    .values(key_id=bindparam("key"), sealed=bindparam("bytes"))
)
_HAS_INDEX = _ADDRESS.c.author_index == bindparam("old")
_MOVE_AUTHOR = (
    core.update(_ADDRESS)
    .where(_ADDRESS.c.site_id == bindparam("site"), _HAS_INDEX)
    .values(author_index=bindparam("new"))
)
_MOVE_MODERATOR = (
    core.update(_ADDRESS)
    .where(_ADDRESS.c.site_id.is_(None), _HAS_INDEX)
    .values(author_index=bindparam("new"))
)


class Rotation(msgspec.Struct, frozen=True):
    """What a rotation did: how many addresses, and the ids of the keys that are gone."""

    addresses: int
    deleted_keys: list[UUID]


async def rotate_keys(
    database: Database,
    vault: Vault,
    now: datetime,
    *,
    settle: Callable[[], Awaitable[None]] | None = None,
    tell: TellCount = lambda _done, _total: None,
) -> Rotation:
    """Renew the keys of all addresses; an unfinished rotation is finished first, without another key.

    `settle` waits until every running process knows the present keys.
    """
    settle = settle or (lambda: asyncio.sleep(SETTLE_SECONDS))
    await _add_key(database, vault, now)
    await settle()
    done = await _renew_all(database, vault, tell)
    # A process that learnt of the key late may have used the old one meanwhile.
    await settle()
    done += await _renew_all(database, vault, tell)
    return Rotation(done, await _delete_old_keys(database, vault))


async def _add_key(database: Database, vault: Vault, now: datetime) -> None:
    async with database.writing() as session:
        await lock_keys(session)
        keyring = await vault.load(session)
        if len(keyring.address_keys) == 1:
            # The last one by this moment is the current one, also where a clock was ahead at the first.
            newest = (await session.exec(select(func.max(DataKey.created_at)))).one()
            after = newest + timedelta(microseconds=1)
            session.add(vault.make_key("address", max(now, after)))


async def _renew_all(database: Database, vault: Vault, tell: TellCount) -> int:
    """Renew what lies under an old key, in pieces with pauses; gives how many addresses."""
    pace, done, tries = Pace(BATCH, MAX_BATCH), 0, MAX_TRIES
    async with database.reading() as session:
        total = await _count_left(session, await vault.load(session))
    # From here on the time counts, and not from where everybody's keys were waited for.
    tell(0, total)
    while True:
        started = time.monotonic()
        try:
            renewed = await _renew_some(database, vault, pace)
        except OperationalError:
            # It waited too long for somebody's lock, or in a circle with somebody.
            tries -= 1
            if not tries:
                raise
        else:
            if not renewed:
                return done
            done, tries = done + renewed, MAX_TRIES
            tell(done, max(done, total))
        await rest(time.monotonic() - started)


async def _renew_some(database: Database, vault: Vault, pace: Pace) -> int:
    async with database.writing() as session:
        keyring = await vault.load(session)
        # From here on others wait.
        locked_at = time.monotonic()
        connection = await session.connection()
        renewed = await connection.run_sync(_renew_batch, keyring, pace.size)
        pace.adapt(time.monotonic() - locked_at)
    return renewed


async def _count_left(session: AsyncSession, keyring: Keyring) -> int:
    left = select(func.count()).where(col(SealedAddress.key_id) != keyring.current.id)
    return (await session.exec(left)).one()


def _renew_batch(connection: Connection, keyring: Keyring, size: int) -> int:
    """Seal and index the next addresses that lie under an old key; gives how many."""
    query = (
        core.select(_ADDRESS)
        .where(_ADDRESS.c.key_id != keyring.current.id)
        .order_by(_ADDRESS.c.key_id, _ADDRESS.c.id)
        .limit(size)
        .with_for_update()
    )
    rows = [SealedAddress(**row) for row in connection.execute(query).mappings()]
    sealed, moves = [], dict[tuple[UUID | None, bytes], bytes]()
    for row in rows:
        original = keyring.open_address(row)
        renewed = keyring.seal_address(row.id, row.site_id, original, fold_address(original))
        moves[row.site_id, row.author_index] = renewed["author_index"]
        sealed.append({"row": row.id, "key": renewed["key_id"], "bytes": renewed["sealed"]})
    if sealed:
        connection.execute(_RESEAL, sealed)
    _move_authors(connection, {key: new for key, new in moves.items() if key[1] != new})
    return len(rows)


def _move_authors(connection: Connection, moves: Mapping[tuple[UUID | None, bytes], bytes]) -> None:
    """Give all rows of each author the new index at once, so that his counts never fall apart."""
    ordered = sorted(moves.items(), key=lambda move: move[0][1])
    of_sites = [{"site": site, "old": old, "new": new} for (site, old), new in ordered if site]
    of_none = [{"old": old, "new": new} for (site, old), new in ordered if site is None]
    if of_none:
        connection.execute(_MOVE_MODERATOR, of_none)
    if of_sites:
        connection.execute(_MOVE_AUTHOR, of_sites)
        _move_tallies(connection, of_sites)


def _move_tallies(connection: Connection, moves: Sequence[Mapping[str, Any]]) -> None:
    """Add the counts under each author's old index to those under the new one."""
    new = {(move["site"], move["old"]): move["new"] for move in moves}
    is_moved = (
        _TALLY.c.site_id.in_({site for site, _ in new}),
        _TALLY.c.author_index.in_([old for _, old in new]),
    )
    # Of two sites' authors none has the index of another: the site is a part of what it is made from.
    gone = connection.execute(core.delete(_TALLY).where(*is_moved).returning(_TALLY)).mappings()
    moved = [{**row, "author_index": new[row["site_id"], row["author_index"]]} for row in gone.all()]
    moved.sort(key=lambda row: (row["site_id"], row["author_index"]))
    count_up(connection, AuthorTally, AUTHOR_COUNTS, moved)


async def _delete_old_keys(database: Database, vault: Vault) -> list[UUID]:
    """Delete the keys that no address needs any more, and wrap the others under the newest secret."""
    async with database.writing() as session:
        await lock_keys(session)
        keyring = await vault.load(session)
        old = [key_id for key_id in keyring.address_keys if key_id != keyring.current.id]
        await session.exec(delete(DataKey).where(col(DataKey.id).in_(old)))
        rows = (await session.exec(select(DataKey).with_for_update())).all()
        for row in rows:
            session.add(vault.rewrap_key(row))
    return old
