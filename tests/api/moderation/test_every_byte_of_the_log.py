"""Whatever is changed in a table of the log, `greenroom log verify` says so, at its place."""

import random
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlmodel import SQLModel

from service.command_line import commands
from service.command_line.log import verify_logs
from service.modlog.tables import LogEntry, LogHead, LogText
from service.services import Services
from tests.cast import House

pytestmark = pytest.mark.more

ROOT = Path(__file__).parents[3]
TABLES: dict[str, type[SQLModel]] = {
    str(table.__tablename__): table for table in (LogEntry, LogText, LogHead)
}
# Of other tables the log speaks of nothing else; docs/operations.md says so too. Whether a comment that is
# hidden should be shown, it does not say, and of a moment only whether there is one.
TOLD = [
    *(("comment", name) for name in ("id", "site_id", "status", "version")),
    *(("membership", name) for name in ("site_id", "moderator_id", "role")),
    *(("moderator", name) for name in ("id", "is_admin")),
    *(("bearer_token", name) for name in ("id", "site_id")),
    ("article", "is_closed"),
]
COLUMNS = [
    *((name, column) for name, table in TABLES.items() for column in table.model_fields),
    *TOLD,
]
# Values that only PostgreSQL's types would let in, beside those that nobody writes.
STRANGE = (None, "", "x", "\0", "9" * 400, b"\xff", 0, -1, 2**62, 1.5)
only_sqlite = pytest.mark.parametrize("furnished", ["sqlite"], indirect=True)


class Cell(msgspec.Struct, frozen=True):
    """One value as SQLite keeps it: its type, and its bytes."""

    table: str
    column: str
    row: int
    kind: str
    content: bytes

    def forgeries(self) -> Iterator[tuple[str, Any]]:
        """Give the value with each byte changed by a bit, with one less or more, or of another type."""
        if self.kind in {"integer", "null"}:
            return
        term = "CAST(? AS TEXT)" if self.kind == "text" else "?"
        for place, byte in enumerate(self.content):
            changed = bytearray(self.content)
            changed[place] = byte ^ 1 << place % 8
            yield term, bytes(changed)
        whole = self.content
        for other in (whole[1:], whole[:-1], b" " + whole, whole + b" ", whole.swapcase()):
            yield term, other
        yield ("?" if self.kind == "text" else "CAST(? AS TEXT)"), self.content


@pytest.fixture
async def services(house: House) -> AsyncIterator[Services]:
    """The parts of the service as a command has them, on a log in which there is something of every kind."""
    comments = [await house.submit() for _ in range(3)]
    await house.approve(comments[0].id)
    await house.reject(comments[1].id)
    decision = {"comment": comments[2].id, "version": 1, "action": "spam", "note": "Sells watches."}
    await house.bob.post("/v1/moderation/decisions", json={"decisions": [decision]})
    path = f"/v1/moderation/comments/{comments[0].id}/email-reveals"
    assert (await house.bob.post(path, json={"purpose": "She asks us to."})).is_success
    async with commands.working(house.settings) as services:
        yield services


async def says(services: Services) -> list[str]:
    """Give what the command says beyond the heads."""
    chains = await verify_logs(services)
    return [line for chain in chains for line in chain.lines[1:]]


def open_file(services: Services) -> closing[sqlite3.Connection]:
    """Open the database as somebody who heeds none of its rules."""
    path = str(services.database.engine.url.database)
    return closing(sqlite3.connect(path, isolation_level=None, timeout=10))


def read_cells(file: sqlite3.Connection) -> list[Cell]:
    return [
        Cell(table, column, *found)
        for table, column in COLUMNS
        for found in file.execute(f"SELECT rowid, typeof({column}), CAST({column} AS BLOB) FROM {table}")
    ]


async def try_value(
    services: Services, file: sqlite3.Connection, cell: Cell, term: str, value: Any
) -> list[str] | None:
    """Say what is said of a value in a cell, and put back what was there; None where nothing changes."""
    place = f"UPDATE {cell.table} SET {cell.column} ="
    where = f"WHERE rowid = {cell.row}"
    look = f"SELECT typeof({cell.column}), CAST({cell.column} AS BLOB) FROM {cell.table} {where}"
    [before] = file.execute(f"SELECT {cell.column} FROM {cell.table} {where}").fetchone()
    try:
        file.execute(f"{place} {term} {where}", (value,))
    except sqlite3.IntegrityError:
        return None
    try:
        is_same = file.execute(look).fetchone() == (cell.kind, cell.content)
        return None if is_same else await says(services)
    finally:
        file.execute(f"{place} ? {where}", (before,))


async def find_missed(services: Services, tries: list[tuple[Cell, str, Any]]) -> list[tuple[str, str, Any]]:
    with open_file(services) as file:
        return [
            (cell.table, cell.column, value)
            for cell, term, value in tries
            if await try_value(services, file, cell, term, value) == []
        ]


def list_tries(services: Services) -> list[tuple[Cell, str, Any]]:
    with open_file(services) as file:
        cells = read_cells(file)
    changed = [(cell, *forgery) for cell in cells for forgery in cell.forgeries()]
    return [*changed, *((cell, "?", value) for cell in cells for value in STRANGE)]


@only_sqlite
async def test_some_changed_bytes_of_every_column_are_named(services: Services) -> None:
    tries = list_tries(services)
    assert {(cell.table, cell.column) for cell, *_ in tries} == set(COLUMNS)
    random.Random(7).shuffle(tries)  # noqa: S311 - Not to keep a secret.
    assert await says(services) == []
    assert await find_missed(services, tries[:300]) == []


@pytest.mark.long
@only_sqlite
async def test_every_changed_byte_is_named(services: Services) -> None:
    assert await find_missed(services, list_tries(services)) == []
    assert await says(services) == []


def test_the_docs_say_what_it_vouches_for() -> None:
    docs = (ROOT / "docs" / "operations.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| (.*) \|$", docs, re.MULTILINE))
    assert [place for place in TOLD if f"`{place[1]}`" not in rows[place[0]]] == []
