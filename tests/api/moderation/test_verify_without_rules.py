"""Whoever writes to the database can drop its rules first: a second row in one place is found even so."""

import sqlite3
from contextlib import closing
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.clock import new_id
from service.comments import unlogged
from service.comments.tables import Comment
from service.modlog import stored
from service.modlog.tables import LogEntry, LogText
from tests.api.moderation.tampering import fill, flaws, tamper
from tests.cast import House


async def drop_rules(house: House, table: type[SQLModel]) -> None:
    """Take every constraint from a table, which keeps its rows."""
    name = str(table.__tablename__)
    if not house.database.is_sqlite:
        async with house.database.writing() as session:
            connection = await session.connection()
            found = "SELECT conname FROM pg_constraint WHERE conrelid = CAST(:name AS regclass)"
            for (rule,) in (await connection.execute(text(found), {"name": name})).all():
                drop = f'ALTER TABLE {name} DROP CONSTRAINT IF EXISTS "{rule}" CASCADE'
                await connection.execute(text(drop))
        return
    path = str(house.database.engine.url.database)
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as file:
        for step in (
            "PRAGMA legacy_alter_table = ON",
            f"CREATE TABLE bare AS SELECT * FROM {name}",
            f"DROP TABLE {name}",
            f"ALTER TABLE bare RENAME TO {name}",
        ):
            file.execute(step)


async def add_copy(session: AsyncSession, table: type[SQLModel], row: Any, **changed: Any) -> None:
    """Write a row a second time, with something else in it."""
    columns = table.__table__.insert()  # type: ignore[attr-defined]  # SQLModel does not declare it.
    await (await session.connection()).execute(columns, {**row.model_dump(), **changed})


@pytest.mark.parametrize("is_same_id", [False, True])
async def test_a_second_entry_in_one_place_is_named_wherever_a_piece_ends(
    house: House, monkeypatch: pytest.MonkeyPatch, is_same_id: bool
) -> None:
    monkeypatch.setattr(stored, "CHUNK", 2)
    length = await fill(house)
    for table in (LogText, LogEntry):
        await drop_rules(house, table)

    async def forge(session: AsyncSession, site_id: UUID) -> None:
        query = select(LogEntry).where(LogEntry.site_id == site_id, LogEntry.seq == seq)
        entry = (await session.exec(query)).one()
        forged = {"id": entry.id if is_same_id else new_id(), "mac": b"y", "reason": "forged"}
        await add_copy(session, LogEntry, entry, **forged)

    async def repair(session: AsyncSession, _: UUID) -> None:
        await (await session.connection()).execute(text("DELETE FROM log_entry WHERE reason = 'forged'"))

    found = {}
    for seq in range(1, length + 1):
        await tamper(house, forge)
        found[seq] = await flaws(house)
        await tamper(house, repair)
    assert {seq for seq, named in found.items() if ("changed", seq) in named} == set(found)
    assert await flaws(house) == []


async def test_a_second_comment_of_one_id_is_named_wherever_a_piece_ends(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unlogged, "CHUNK", 2)
    first, second = [await house.submit() for _ in range(2)]
    await drop_rules(house, Comment)
    for submitted in (second, first):

        async def forge(session: AsyncSession, _: UUID, wanted: str = submitted.id) -> None:
            query = select(Comment).where(col(Comment.id) == UUID(wanted))
            comment = (await session.exec(query)).one()
            shown = {"status": "approved", "version": 2, "visibility": "visible"}
            await add_copy(session, Comment, comment, **shown)

        before = await flaws(house)
        await tamper(house, forge)
        assert await flaws(house) == [*before, ("unlogged", 0)]
