"""Checking a chain: its entries, the free text that is not erased, its head, and what belongs to no chain.

And what the log last said of things that are no comments, held to how they stand.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, func, type_coerce
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import NullType
from sqlmodel import Session, and_, col, not_, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from service.modlog.rules import START, Flaw, Head, Unreadable, find_flaws, is_text_of
from service.modlog.stored import Reader, has_place, read_in_order, require_bad_row
from service.modlog.tables import LogEntry, LogHead, LogText
from service.privacy.vault import NO_SITE, Keyring


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


def _check_chain(session: Session, keyring: Keyring, site_id: UUID, remembered: Sequence[Head]) -> Checked:
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


def _check_texts(session: Session, keyring: Keyring, site_id: UUID, erased: list[int]) -> Iterator[Flaw]:
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
            flaws.append(Flaw("stray", 0, None, f"{count} rows of {table.__tablename__} belong to no chain."))
    return flaws


def _is_stray(chain: UUID, sites: SelectOfScalar[UUID], others: Collection[UUID]) -> ColumnElement[bool]:
    return and_(col(chain).not_in(sites), col(chain).not_in(others))


# A chain, and the id of a thing that its entries name.
Thing = tuple[UUID, UUID]


class Aspect(msgspec.Struct, frozen=True):
    """One thing that the log says of rows of a table.

    `words` has what an entry says of its subject, by its action, or by `ACTION:` and what stands behind the
    subject's id. `columns` are the chain, the id, and what `say` makes the same words of.
    """

    what: str
    words: Mapping[str, str]
    columns: tuple[Any, Any, Any]
    say: Callable[[Any], str]
    # What goes for a thing of which there is no entry, and for one of which there is no row.
    unlogged: str = "unknown"
    gone: str = "not there"


async def find_contradictions(session: AsyncSession, aspects: Iterable[Aspect]) -> list[tuple[UUID, Flaw]]:
    """Find rows that are not as the log last said, each with the chain that says so."""
    found: list[tuple[UUID, Flaw]] = []
    for aspect in aspects:
        first = await session.run_sync(partial(_contradict, aspect=aspect))
        # What changes between reading the log and the rows is another thing at the second look.
        again = await session.run_sync(partial(_contradict, aspect=aspect)) if first else []
        found += [flaw for flaw in first if flaw in again]
    return found


def _contradict(session: Session, aspect: Aspect) -> list[tuple[UUID, Flaw]]:
    try:
        told = dict(_read_told(session, aspect.words))
        rows = dict(_read_things(session, aspect))
    except DBAPIError as error:
        require_bad_row(error)
        detail = f"{aspect.what} cannot be compared with the log."
        return [(NO_SITE, Flaw("unreadable", 0, None, detail))]
    finally:
        session.rollback()
    return list(_compare(aspect, told, rows))


def _compare(
    aspect: Aspect, told: Mapping[Thing, tuple[str, int]], rows: Mapping[Thing, str]
) -> Iterator[tuple[UUID, Flaw]]:
    for thing in sorted({*told, *rows}):
        said, seq = told.get(thing, (aspect.unlogged, 0))
        found = rows.get(thing, aspect.gone)
        if found != said:
            detail = f"{aspect.what} is {found!r}; by the log it is {said!r}."
            yield thing[0], Flaw("unlogged", seq, thing[1], detail)


def _read_told(session: Session, words: Mapping[str, str]) -> Iterator[tuple[Thing, tuple[str, int]]]:
    site_id, subject = type_coerce(LogEntry.site_id, NullType()), col(LogEntry.subject)
    actions = {one.partition(":")[0] for one in words}
    chosen = (col(LogEntry.action).in_(actions), has_place(session))
    query: Any = select(site_id, LogEntry.seq, LogEntry.action, subject)
    for chain, seq, action, about in session.execute(query.where(*chosen).order_by(LogEntry.seq)).all():
        thing, _, more = str(about).partition(":")
        if word := words.get(f"{action}:{more}") or words.get(action):
            yield (read_id(chain), read_id(thing)), (word, seq)


def _read_things(session: Session, aspect: Aspect) -> Iterator[tuple[Thing, str]]:
    # As they are stored: what is no id is of interest here.
    query: Any = select(*(type_coerce(one, NullType()) for one in aspect.columns))
    for chain, thing, value in session.execute(query).all():
        yield (NO_SITE if chain is None else read_id(chain), read_id(thing)), aspect.say(value)


def read_id(stored: Any) -> UUID:
    """Read an id, which SQLite keeps as text; what is none is NO_SITE, which nothing has."""
    try:
        found = stored if isinstance(stored, UUID) else UUID(hex=str(stored))
    except ValueError:
        return NO_SITE
    # One that is spelled otherwise than we do is found by nobody.
    return found if str(stored) in {found.hex, str(found)} else NO_SITE
