"""What is wrong with the database, told from what it raised."""

from typing import Literal

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

Fault = Literal[
    "unreachable",
    "busy",
    "read-only",
    "full",
    "failing",
    "damaged",
    "replaced",
    "forbidden",
    "incomplete",
]
# Faults in which pages can still be read, or at least may be.
UNWRITABLE: frozenset[Fault] = frozenset(
    {"read-only", "full", "failing", "damaged", "forbidden", "incomplete"}
)
# Faults of which the database says what is to be mended: a right, a table, a column.
TOLD_IN_WORDS: frozenset[Fault] = frozenset({"forbidden", "incomplete"})
# By SQLSTATE, else by the class that its first two characters name (PostgreSQL, appendix A).
_POSTGRES: dict[str, Fault] = {
    "25006": "read-only",
    # Somebody took a right from the role, or a table or a column from the database.
    "42501": "forbidden",
    "3F000": "incomplete",
    "42703": "incomplete",
    "42P01": "incomplete",
    # The transaction of a process that was frozen.
    "25P03": "unreachable",
    "53100": "full",
    "58030": "failing",
    "08": "unreachable",
    # A deadlock, or another transaction that was first.
    "40": "busy",
    # Out of memory or of connections.
    "53": "busy",
    # A lock, or a statement, that took too long.
    "55P03": "busy",
    "57014": "busy",
    "57": "unreachable",
}
# By the name of the result code, without what makes it an extended one.
_SQLITE: dict[str, Fault] = {
    "BUSY": "busy",
    "LOCKED": "busy",
    "READONLY": "read-only",
    "FULL": "full",
    "IOERR": "failing",
    "CORRUPT": "damaged",
    "NOTADB": "damaged",
    "CANTOPEN": "unreachable",
}
# It has no code of its own.
_SQLITE_INCOMPLETE = ("no such table", "no such column")


def name_fault(error: BaseException) -> Fault | None:
    """Name what is wrong with the database; None where it is something else, such as the statement."""
    if isinstance(error, PoolTimeout):
        return "busy"
    if not isinstance(error, DBAPIError):
        return None
    if name := getattr(error.orig, "sqlite_errorname", None):
        if str(error.orig).startswith(_SQLITE_INCOMPLETE):
            return "incomplete"
        return _SQLITE.get(str(name).removeprefix("SQLITE_").partition("_")[0])
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        # No word of a server's: there was none, or it was cut off.
        is_cut = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
        return "unreachable" if is_cut else None
    return _POSTGRES.get(state) or _POSTGRES.get(state[:2])


def describe(error: Exception, fault: Fault) -> str:
    """Give the kind of an error, or the first words of it where they name nothing but tables and columns."""
    cause = getattr(error, "orig", error)
    return str(cause).partition("\n")[0] if fault in TOLD_IN_WORDS else type(cause).__name__
