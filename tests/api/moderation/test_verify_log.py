"""Tampering with the log in the database itself: each way is found and named by `greenroom log verify`."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from service.clock import new_id
from service.command_line import commands
from service.command_line.refusals import CommandFailed
from service.modlog.tables import LogEntry, LogHead
from tests.api.moderation.tampering import (
    cut_to,
    entry,
    fill,
    flaws,
    flaws_of_chain,
    tamper,
    verify,
)
from tests.cast import House

pytestmark = pytest.mark.both


async def test_logs_that_nobody_touched_are_whole(house: House) -> None:
    await fill(house)
    chains = await verify(house)
    assert sorted(chains) == ["(installation)", "blog", "elsewhere"]
    for chain in chains.values():
        assert chain.flaws == []
        assert chain.line.startswith(f"{chain.name}: whole, {chain.name}:{chain.head.length}:")


async def test_changed_entries_are_named_whatever_was_changed(house: House) -> None:
    length = await fill(house)
    changes: dict[int, dict[str, Any]] = {
        length: {"actor_id": None},
        length - 1: {"reason": "forged"},
        length - 2: {"from_status": "spam"},
        length - 3: {"action": "approve!"},
        length - 4: {"version": 7},
        length - 5: {"text_hash": bytes(32)},
        length - 6: {"mac": bytes(32)},
    }

    async def change_them(session: AsyncSession, site_id: UUID) -> None:
        for seq, change in changes.items():
            await session.exec(update(LogEntry).where(*entry(site_id, seq)).values(**change))

    await tamper(house, change_them)
    assert await flaws_of_chain(house) == [("changed", seq) for seq in sorted(changes)]


async def test_a_removed_entry_is_named_even_when_the_rest_moved_up(house: House) -> None:
    length = await fill(house)

    async def remove(session: AsyncSession, site_id: UUID) -> None:
        await session.exec(delete(LogEntry).where(*entry(site_id, length - 3)))

    async def close_the_gap(session: AsyncSession, site_id: UUID) -> None:
        for seq in range(length - 2, length + 1):
            chosen = update(LogEntry).where(*entry(site_id, seq))
            await session.exec(chosen.values(seq=seq - 1))

    await tamper(house, remove)
    assert await flaws_of_chain(house) == [("removed", length - 3)]
    await tamper(house, close_the_gap)
    found = await flaws_of_chain(house)
    assert found[0] == ("removed", length - 3)


async def test_reordered_entries_are_named(house: House) -> None:
    length = await fill(house)

    async def swap(session: AsyncSession, site_id: UUID) -> None:
        for old, new in ((length - 2, 0), (length - 1, length - 2), (0, length - 1)):
            await session.exec(update(LogEntry).where(*entry(site_id, old)).values(seq=new))

    await tamper(house, swap)
    assert await flaws(house) == [("reordered", seq) for seq in range(length - 2, length + 1)]


async def test_a_tail_cut_off_with_its_head_shows_by_the_data_directory(house: House) -> None:
    length = await fill(house)
    remembered = (await verify(house))["blog"].line.rpartition(" ")[2]
    await tamper(house, cut_to(length - 2))
    expected = [("cut off", length - 1)]
    assert await flaws(house) == expected
    # Whoever can write to that directory too is found by those who noted the head elsewhere.
    for file in (house.settings.data_dir / "log-heads").iterdir():
        file.unlink()
    assert await flaws(house) == []
    assert await flaws(house, remembered) == expected


async def test_a_log_that_was_emptied_is_named_from_first_to_last(house: House) -> None:
    length = await fill(house)
    await tamper(house, cut_to(0))
    [flaw] = [one for one in (await verify(house))["blog"].flaws if one.kind != "unlogged"]
    assert (flaw.kind, flaw.seq, flaw.last_seq) == ("cut off", 1, length)


async def test_work_after_a_cut_does_not_hide_it(house: House) -> None:
    length = await fill(house)
    await tamper(house, cut_to(length - 1))
    await house.publish()
    assert await flaws(house) == [("replaced", length)]


async def test_a_row_that_cannot_be_read_is_named_and_the_rest_is_checked(house: House) -> None:
    length = await fill(house)
    strange = "'infinity'" if not house.database.is_sqlite else "CAST(x'FF' AS TEXT)"

    async def spoil(session: AsyncSession, site_id: UUID) -> None:
        for seq in (2, 4):
            where = "WHERE site_id = :site AND seq = :seq"
            statement = text(f"UPDATE log_entry SET at = {strange} {where}")
            site = site_id.hex if house.database.is_sqlite else site_id
            await (await session.connection()).execute(statement, {"site": site, "seq": seq})
        changed = update(LogEntry).where(*entry(site_id, length)).values(reason="forged")
        await session.exec(changed)

    await tamper(house, spoil)
    expected = [("unreadable", 2), ("unreadable", 4), ("changed", length)]
    assert await flaws_of_chain(house) == expected


async def test_a_head_that_is_gone_or_set_back_is_named(house: House) -> None:
    length = await fill(house)

    async def set_back(session: AsyncSession, site_id: UUID) -> None:
        query = select(LogEntry.mac).where(*entry(site_id, 2))
        earlier = {"length": 2, "mac": (await session.exec(query)).one()}
        await session.exec(update(LogHead).where(col(LogHead.site_id) == site_id).values(**earlier))

    await tamper(house, set_back)
    assert await flaws(house) == [("replaced", length)]
    await tamper(
        house,
        lambda session, site: session.exec(delete(LogHead).where(col(LogHead.site_id) == site)),
    )
    assert await flaws(house) == [("removed", length)]


async def test_rows_of_no_chain_are_named_with_the_installation(house: House) -> None:
    await fill(house)

    async def lose(session: AsyncSession, site_id: UUID) -> None:
        await session.exec(update(LogEntry).where(*entry(site_id, 2)).values(site_id=new_id()))

    await tamper(house, lose)
    chains = await verify(house)
    assert [flaw.kind for flaw in chains["blog"].flaws] == ["removed"]
    [stray] = chains["(installation)"].flaws
    assert (stray.kind, stray.detail) == ("stray", "1 rows of log_entry belong to no chain.")


async def test_the_installation_has_a_chain_of_its_own(house: House) -> None:
    async with house.database.writing() as session:
        made = col(LogEntry.action) == "moderator.created"
        await session.exec(update(LogEntry).where(made).values(subject="forged"))
    found = (await verify(house))["(installation)"].flaws
    assert [flaw.kind for flaw in found if flaw.kind != "unlogged"] == ["changed"] * 4


async def test_a_head_has_to_be_one(house: House) -> None:
    mac = "0" * 64
    for wrong in (
        "blog",
        f"blog:0:{'1' * 64}",
        f"blog:x:{mac}",
        "blog:1:00",
        f"blog:1:{'z' * 64}",
        f"nowhere:1:{mac}",
    ):
        with pytest.raises(CommandFailed):
            await verify(house, wrong)


async def test_a_site_called_installation_is_not_taken_for_the_installation(house: House) -> None:
    async with commands.working(house.settings) as services:
        await commands.add_site(services, "installation", "T", ["https://t.example"])
    chains = await verify(house)
    assert sorted(chains) == ["(installation)", "blog", "elsewhere", "installation"]
    head = chains["installation"].line.rpartition(" ")[2]
    assert all(chain.flaws == [] for chain in (await verify(house, head)).values())


async def test_a_file_that_is_no_head_of_ours_is_no_flaw(house: House) -> None:
    await fill(house)
    (house.settings.data_dir / "log-heads" / ".DS_Store").touch()
    assert await flaws(house) == []
