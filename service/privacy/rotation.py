"""Rotating the keys of addresses: a new key, then every address sealed and indexed anew, in batches.

It runs beside the service and can be stopped at any moment: what is left to do is what still lies
under an old key, so the next run goes on where this one ended. Old keys are deleted at the end, which
the foreign key from the addresses refuses as long as one of them is needed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlmodel import col, delete, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from service.database import Database, count_up
from service.privacy.opening import lock_keys
from service.privacy.tables import AuthorTally, DataKey, SealedAddress
from service.privacy.vault import KEYRING_SECONDS, Keyring, Vault

BATCH = 200
# Longer than a running process goes on with the keys that it knows, and than a submission takes.
SETTLE_SECONDS = KEYRING_SECONDS + 4


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
) -> Rotation:
    """Renew the keys of all addresses; an unfinished rotation is finished first, without another key.

    `settle` waits until every running process knows the present keys.
    """
    settle = settle or (lambda: asyncio.sleep(SETTLE_SECONDS))
    await _add_key(database, vault, now)
    await settle()
    done = await _renew_all(database, vault)
    # A process that learnt of the key late may have used the old one meanwhile.
    await settle()
    done += await _renew_all(database, vault)
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


async def _renew_all(database: Database, vault: Vault) -> int:
    done = 0
    while True:
        async with database.writing() as session:
            keyring = await vault.load(session)
            renewed = await _renew_batch(session, keyring)
        if not renewed:
            return done
        done += renewed


async def _renew_batch(session: AsyncSession, keyring: Keyring) -> int:
    """Seal and index the next addresses that lie under an old key; gives how many."""
    query = (
        select(SealedAddress)
        .where(SealedAddress.key_id != keyring.current.id)
        .order_by(col(SealedAddress.key_id), col(SealedAddress.id))
        .limit(BATCH)
        .with_for_update()
    )
    rows = (await session.exec(query)).all()
    moves: dict[tuple[UUID | None, bytes], bytes] = {}
    for row in rows:
        renewed = keyring.reseal_address(row)
        moves[row.site_id, row.author_index] = renewed.author_index
        await session.exec(
            update(SealedAddress)
            .where(col(SealedAddress.id) == row.id)
            .values(key_id=renewed.key_id, sealed=renewed.sealed)
        )
    for (site_id, old), new in sorted(moves.items(), key=lambda move: move[0][1]):
        if old != new:
            await _move_author(session, site_id, old, new)
    return len(rows)


async def _move_author(session: AsyncSession, site_id: UUID | None, old: bytes, new: bytes) -> None:
    """Give all rows of one author the new index at once, so that his counts never fall apart."""
    of_site = (
        col(SealedAddress.site_id).is_(None)
        if site_id is None
        else col(SealedAddress.site_id) == site_id
    )
    chosen = update(SealedAddress).where(of_site, col(SealedAddress.author_index) == old)
    await session.exec(chosen.values(author_index=new))
    of_author = (col(AuthorTally.site_id) == site_id, col(AuthorTally.author_index) == old)
    gone = await session.exec(
        delete(AuthorTally)
        .where(*of_author)
        .returning(col(AuthorTally.approved), col(AuthorTally.rejected), col(AuthorTally.spam))
    )
    counts = ("approved", "rejected", "spam")
    key = {"site_id": site_id, "author_index": new}
    moved = [{**key, **dict(zip(counts, row, strict=True))} for row in gone.all()]
    await (await session.connection()).run_sync(count_up, AuthorTally, counts, moved)


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
