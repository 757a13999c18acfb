"""Rows of the log exactly as they lie in the database.

What reads a value for its use may take several spellings for the same, such as an id in capitals, which no
look-up finds any more. Here a row is only what was written; one that is not is told by its place, so that it
does not keep the others from being checked.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, Dialect, func, type_coerce
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import NullType
from sqlmodel import Session, SQLModel, col, select

from service.database import table_of
from service.database.faults import name_fault
from service.modlog.tables import LogEntry

# A row, as the driver gives it.
Values = tuple[Any, ...]
M = TypeVar("M", bound=SQLModel)
P = TypeVar("P", bound=Sequence[Any])
# Rows that are read at a time.
CHUNK = 1_000
# SQLite keeps any bytes as text; its driver's error has no code of its own.
_NOT_TEXT = "Could not decode to UTF-8"


class Reader(Generic[M]):
    """Makes models of rows of one table, as one database keeps them."""

    def __init__(self, session: Session, model: type[M]) -> None:
        dialect = session.get_bind().dialect
        columns = table_of(model).columns
        self._model = model
        # Without a conversion.
        raw: list[Any] = [type_coerce(column, NullType()) for column in columns]
        self.select: Any = select(*raw)
        self._readers: list[tuple[str, Any, Callable[[Any], Any]]] = [
            (column.name, model.model_fields[column.name].annotation, _spelling(column, dialect))
            for column in columns
        ]

    def read(self, values: Values) -> M | None:
        """Make a model of a row; None unless each value is spelled as we write it."""
        found = {}
        for (name, expected, convert), stored in zip(self._readers, values, strict=True):
            # What the driver gives as what it is has one spelling only.
            value = stored if isinstance(stored, expected) else convert(stored)
            if not isinstance(value, expected):
                return None
            found[name] = value
        return self._model(**found)


def read_in_order(session: Session, query: Any) -> Iterator[tuple[int, Values | None]]:
    """Read entries, and what is joined to them, in the order of `seq`; None for a row that cannot be read.

    Each piece is read in a transaction of its own: one over a long chain would keep SQLite's journal growing,
    and PostgreSQL's dead rows.
    """
    seq = col(LogEntry.seq)
    placed = query.add_columns(seq).where(has_place(session))
    for piece in read_pieces(placed, seq, partial(_read_piece, session)):
        yield from piece


def read_pieces(query: Any, key: Any, read: Callable[[Any], Sequence[P]]) -> Iterator[Sequence[P]]:
    """Read rows in the order of a key, which is the first thing that `read` gives of each.

    That no two rows share a key is a rule of the database, which whoever writes there can drop. So a piece
    ends with all the rows of its last key, or with as many as `read` takes.
    """
    following = query
    while piece := read(following.order_by(key)):
        last = piece[-1][0]
        yield [*(row for row in piece if row[0] != last), *read(query.where(key == last))]
        following = query.where(key.is_not(None) if last is None else key > last)


def has_place(session: Session) -> Any:
    """Give the condition that an entry's `seq` is a number, which SQLite does not see to."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return (func.typeof(LogEntry.seq) if is_sqlite else "integer") == "integer"


def _read_piece(session: Session, query: Any) -> list[tuple[int, Values | None]]:
    piece = query.limit(CHUNK)
    try:
        return _read_rows(session, piece)
    except DBAPIError as error:
        require_bad_row(error)
    session.rollback()
    seq = col(LogEntry.seq)
    places = session.scalars(piece.with_only_columns(seq)).unique().all()
    return [row for place in places for row in _read_place(session, piece.where(seq == place), place)]


def _read_place(session: Session, query: Any, place: int) -> list[tuple[int, Values | None]]:
    try:
        return _read_rows(session, query)
    except DBAPIError as error:
        require_bad_row(error)
        session.rollback()
        return [(place, None)]


def _read_rows(session: Session, query: Any) -> list[tuple[int, Values | None]]:
    rows = session.exec(query).all()
    session.rollback()
    return [(row[-1], tuple(row[:-1])) for row in rows]


def require_bad_row(error: DBAPIError) -> None:
    """Raise what does not come from the rows that were asked for."""
    is_no_text = str(error.orig).startswith(_NOT_TEXT)
    if not is_no_text and name_fault(error) not in {None, "damaged"}:
        raise error


def _spelling(column: Column[Any], dialect: Dialect) -> Callable[[Any], Any]:
    """Give what converts a stored value, unless it is one that we spell otherwise."""
    bound = column.type.dialect_impl(dialect)
    # A type may go by what the driver says of a column; those of the log do not.
    read, write = bound.result_processor(dialect, None), bound.bind_processor(dialect)

    def convert(stored: Any) -> Any:
        if read is None or write is None or not isinstance(stored, str):
            return stored
        try:
            value = read(stored)
        except ValueError:
            return stored
        return value if write(value) == stored else stored

    return convert
