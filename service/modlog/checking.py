"""Checking a chain: its entries, the free text that is not erased, its head, and what belongs to no chain."""

from collections.abc import Collection, Iterator, Sequence
from functools import cache
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, func
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, and_, col, not_, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from service.modlog.rules import START, Flaw, Head, Unreadable, find_flaws, is_text_of
from service.modlog.stored import Reader, has_place, read_in_order, require_bad_row
from service.modlog.tables import LogEntry, LogHead, LogText
from service.privacy.vault import Keyring


class Checked(msgspec.Struct, frozen=True):
    """What was found of a chain: head, flaws, and the entries whose free text was erased, by `seq`."""

    head: Head
    flaws: list[Flaw]
    erased: list[int]


async def check_chain(
    session: AsyncSession, keyring: Keyring, site_id: UUID, remembered: Sequence[Head]
) -> Checked:
    """Check one chain against its head and those that somebody remembers, and the texts that are not erased.

    What is appended meanwhile is no flaw. It ends the session's transaction between the pieces that it reads.
    """
    plain = session.sync_session
    return await session.run_sync(lambda _: _check_chain(plain, keyring, site_id, remembered))


def _check_chain(
    session: Session, keyring: Keyring, site_id: UUID, remembered: Sequence[Head]
) -> Checked:
    # Before the entries, which go on growing.
    head = _read_head(session, site_id)
    heads = [*remembered, head] if isinstance(head, Head) else remembered
    erased: list[int] = []
    flaws = [
        *_check_entries(session, keyring, site_id, heads),
        *_check_texts(session, keyring, site_id, erased),
        *_check_head(session, site_id),
    ]
    return Checked(head if isinstance(head, Head) else Head(0, START), flaws, erased)


def _check_entries(
    session: Session, keyring: Keyring, site_id: UUID, heads: Sequence[Head]
) -> Iterator[Flaw]:
    in_chain = col(LogEntry.site_id) == site_id

    @cache
    def places() -> dict[bytes, int]:
        query = select(LogEntry.mac, LogEntry.seq).where(in_chain, has_place(session))
        return dict(session.exec(query).all())

    yield from find_flaws(
        _read_entries(session, site_id),
        lambda message: keyring.mac("log", message),
        # Read at the first suspicion only: for a long chain they take much room.
        lambda mac: places().get(mac),
        heads,
    )
    lost = select(func.count()).where(in_chain, not_(has_place(session)))
    if count := session.exec(lost).one():
        yield Flaw("unreadable", 0, None, f"Of {count} entries the place is no number.")


def _read_entries(session: Session, site_id: UUID) -> Iterator[LogEntry | Unreadable]:
    reader = Reader(session, LogEntry)
    query = reader.select.where(col(LogEntry.site_id) == site_id)
    for seq, row in read_in_order(session, query):
        yield (reader.read(row) if row else None) or Unreadable(seq)


def _check_texts(
    session: Session, keyring: Keyring, site_id: UUID, erased: list[int]
) -> Iterator[Flaw]:
    """Check the free text of entries; the places of those whose text is gone are added to `erased`."""
    reader, hashed = Reader(session, LogText), col(LogEntry.text_hash)
    is_there = col(LogText.entry_id).is_not(None)
    query = (
        reader.select.add_columns(hashed)
        .join_from(LogEntry, LogText, col(LogText.entry_id) == col(LogEntry.id), isouter=True)
        .where(col(LogEntry.site_id) == site_id, or_(is_there, hashed.is_not(None)))
    )
    for seq, row in read_in_order(session, query):
        if row and row[0] is None:
            erased.append(seq)
            continue
        note = reader.read(row[:-1]) if row else None
        if row is None or note is None:
            yield Flaw("unreadable", seq, None, "Its free text cannot be read.")
        elif not is_text_of(keyring.mac, note, text_hash=row[-1]):
            yield Flaw("changed", seq, note.entry_id, "Its free text was changed.")


def _check_head(session: Session, site_id: UUID) -> Iterator[Flaw]:
    """Check that the chain's head is no earlier than its last entry."""
    # The entry first: whatever comes in between moves the head on.
    query = select(func.max(LogEntry.seq)).where(LogEntry.site_id == site_id, has_place(session))
    last = session.exec(query).one() or 0
    head = _read_head(session, site_id)
    if isinstance(head, Unreadable):
        yield Flaw("unreadable", last, None, "The head of the chain cannot be read.")
    elif head is None and last:
        yield Flaw("removed", last, None, "The head of the chain is not there.")
    elif head and head.length < last:
        yield Flaw("replaced", last, None, f"The head of the chain stands at entry {head.length}.")


def _read_head(session: Session, site_id: UUID) -> Head | Unreadable | None:
    reader = Reader(session, LogHead)
    try:
        row = session.exec(reader.select.where(col(LogHead.site_id) == site_id)).first()
    except DBAPIError as error:
        require_bad_row(error)
        return Unreadable(0)
    finally:
        session.rollback()
    if row is None:
        return None
    found = reader.read(tuple(row))
    return Head(found.length, found.mac) if found else Unreadable(0)


async def find_strays(
    session: AsyncSession, sites: SelectOfScalar[UUID], others: Collection[UUID]
) -> list[Flaw]:
    """Find rows of no chain, where each site has one and so has each of `others`."""
    flaws = []
    for table, is_stray in (
        (LogEntry, _is_stray(LogEntry.site_id, sites, others)),
        (LogHead, _is_stray(LogHead.site_id, sites, others)),
        (LogText, col(LogText.entry_id).not_in(select(LogEntry.id))),
    ):
        query = select(func.count()).select_from(table).where(is_stray)
        if count := (await session.exec(query)).one():
            flaws.append(
                Flaw("stray", 0, None, f"{count} rows of {table.__tablename__} belong to no chain.")
            )
    return flaws


def _is_stray(
    chain: UUID, sites: SelectOfScalar[UUID], others: Collection[UUID]
) -> ColumnElement[bool]:
    return and_(col(chain).not_in(sites), col(chain).not_in(others))
