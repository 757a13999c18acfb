"""Looking for addresses where none may be: in answers, rows, files, and what a command prints."""

from collections.abc import Iterable
from itertools import product
from pathlib import Path

from tests.cast import House

ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be")


def find_addresses(content: bytes, addresses: Iterable[str]) -> list[str]:
    """List the addresses whose local part occurs in some bytes, in any usual spelling or encoding."""
    return [address for address in addresses if _occurs(address.partition("@")[0], content)]


def _occurs(local: str, content: bytes) -> bool:
    spellings = product((local, local.upper(), local.title()), ENCODINGS)
    return any(spelling.encode(encoding) in content for spelling, encoding in spellings)


def database_files(house: House) -> list[Path]:
    """List the files of a SQLite database, its write-ahead log among them; none on PostgreSQL.

    Those of a PostgreSQL are read where real comments are replayed.
    """
    return sorted(house.settings.data_dir.rglob("greenroom.sqlite3*"))
