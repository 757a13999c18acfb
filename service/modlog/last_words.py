"""What the log last said of things that are no comments, held to how they stand."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import type_coerce
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import NullType
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.modlog.rules import Flaw
from service.modlog.stored import has_place, require_bad_row
from service.modlog.tables import LogEntry
from service.privacy.vault import NO_SITE

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


async def find_contradictions(
    session: AsyncSession, aspects: Iterable[Aspect]
) -> list[tuple[UUID, Flaw]]:
    """Find rows that are not as the log last said, each with the chain that says so."""
    found: list[tuple[UUID, Flaw]] = []
    for aspect in aspects:
        first = await session.run_sync(partial(_find, aspect=aspect))
        # What changes between reading the log and the rows is another thing at the second look.
        again = await session.run_sync(partial(_find, aspect=aspect)) if first else []
        found += [flaw for flaw in first if flaw in again]
    return found


def _find(session: Any, aspect: Aspect) -> list[tuple[UUID, Flaw]]:
    try:
        told = dict(_read_told(session, aspect.words))
        rows = dict(_read_rows(session, aspect))
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


def _read_told(session: Any, words: Mapping[str, str]) -> Iterator[tuple[Thing, tuple[str, int]]]:
    site_id, subject = type_coerce(LogEntry.site_id, NullType()), col(LogEntry.subject)
    actions = {one.partition(":")[0] for one in words}
    chosen = (col(LogEntry.action).in_(actions), has_place(session))
    query: Any = select(site_id, LogEntry.seq, LogEntry.action, subject)
    for chain, seq, action, about in session.execute(
        query.where(*chosen).order_by(LogEntry.seq)
    ).all():
        thing, _, more = str(about).partition(":")
        if word := words.get(f"{action}:{more}") or words.get(action):
            yield (read_id(chain), read_id(thing)), (word, seq)


def _read_rows(session: Any, aspect: Aspect) -> Iterator[tuple[Thing, str]]:
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
