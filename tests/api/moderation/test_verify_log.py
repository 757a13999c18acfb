"""Tampering with the log in the database itself: each way is found and named by `greenroom log verify`."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from service import commands
from service.command_line.log import Verified, verify_logs
from service.command_line.refusals import CommandFailed
from service.modlog.tables import LogEntry, LogHead, LogText
from service.sites.tables import Site
from tests.cast import House


async def verify(house: House, head: str | None = None) -> dict[str, Verified]:
    """Check every chain with processes and caches of its own, as the command does."""
    async with commands.working(house.settings) as services:
        return {chain.name: chain for chain in await verify_logs(services, head)}


async def flaws(house: House, head: str | None = None) -> list[tuple[str, int]]:
    """Name what is wrong with the chain of `blog`; the others must be whole."""
    chains = await verify(house, head)
    assert chains["elsewhere"].flaws == []
    assert chains["(installation)"].flaws == []
    return [(flaw.kind, flaw.seq) for flaw in chains["blog"].flaws]


async def tamper(house: House, how: Callable[[AsyncSession, UUID], Awaitable[Any]]) -> None:
    """Do something to the tables behind the service's back; `how` is given the id of `blog`."""
    async with house.database.writing() as session:
        query = select(Site.id).where(col(Site.slug) == "blog")
        await how(session, (await session.exec(query)).one())


def entry(site_id: UUID, seq: int) -> tuple[Any, Any]:
    return (col(LogEntry.site_id) == site_id, col(LogEntry.seq) == seq)


async def fill(house: House) -> int:
    """Make a chain with notes and decisions in it, and give its length."""
    comments = [await house.submit() for _ in range(3)]
    await house.approve(comments[0].id)
    decision = {"comment": comments[1].id, "version": 1, "action": "spam", "note": "Sells watches."}
    await house.bob.post("/v1/moderation/decisions", json={"decisions": [decision]})
    await house.reject(comments[2].id)
    return (await verify(house))["blog"].head.length


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
    assert await flaws(house) == [("changed", seq) for seq in sorted(changes)]


async def test_a_removed_entry_is_named_even_when_the_rest_moved_up(house: House) -> None:
    length = await fill(house)

    async def remove(session: AsyncSession, site_id: UUID) -> None:
        await session.exec(delete(LogEntry).where(*entry(site_id, length - 3)))

    async def close_the_gap(session: AsyncSession, site_id: UUID) -> None:
        for seq in range(length - 2, length + 1):
            chosen = update(LogEntry).where(*entry(site_id, seq))
            await session.exec(chosen.values(seq=seq - 1))

    await tamper(house, remove)
    assert await flaws(house) == [("removed", length - 3)]
    await tamper(house, close_the_gap)
    found = await flaws(house)
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


def cut_to(length: int) -> Callable[[AsyncSession, UUID], Awaitable[None]]:
    async def cut(session: AsyncSession, site_id: UUID) -> None:
        gone = (col(LogEntry.site_id) == site_id, col(LogEntry.seq) > length)
        ids = select(LogEntry.id).where(*gone)
        await session.exec(delete(LogText).where(col(LogText.entry_id).in_(ids)))
        await session.exec(delete(LogEntry).where(*gone))
        query = select(LogEntry.mac).where(*entry(site_id, length))
        mac = (await session.exec(query)).first() or bytes(32)
        head = update(LogHead).where(col(LogHead.site_id) == site_id)
        await session.exec(head.values(length=length, mac=mac))

    return cut


async def test_a_log_that_was_emptied_is_named_from_first_to_last(house: House) -> None:
    length = await fill(house)
    await tamper(house, cut_to(0))
    [flaw] = (await verify(house))["blog"].flaws
    assert (flaw.kind, flaw.seq, flaw.last_seq) == ("cut off", 1, length)


async def test_work_after_a_cut_does_not_hide_it(house: House) -> None:
    length = await fill(house)
    await tamper(house, cut_to(length - 1))
    await house.publish()
    assert await flaws(house) == [("replaced", length)]


async def test_an_erased_note_is_whole_and_shows_as_erased(house: House) -> None:
    await fill(house)

    async def erase(session: AsyncSession, site_id: UUID) -> None:
        await session.exec(delete(LogText))

    await tamper(house, erase)
    assert await flaws(house) == []
    lines = (await house.bob.get("/v1/moderation/log")).json()["entries"]
    [erased] = [line for line in lines if line["note_erased"]]
    assert (erased["action"], erased["note"]) == ("spam", None)


async def test_a_changed_note_is_named_at_its_entry(house: House) -> None:
    length = await fill(house)

    async def rewrite(session: AsyncSession, site_id: UUID) -> None:
        await session.exec(update(LogText).values(text="Sells flowers."))

    await tamper(house, rewrite)
    assert await flaws(house) == [("changed", length - 1)]


async def test_the_installation_has_a_chain_of_its_own(house: House) -> None:
    async with house.database.writing() as session:
        made = col(LogEntry.action) == "moderator.created"
        await session.exec(update(LogEntry).where(made).values(subject="forged"))
    found = (await verify(house))["(installation)"].flaws
    assert {flaw.kind for flaw in found} == {"changed"}
    assert len(found) == 4


async def test_a_head_has_to_be_one(house: House) -> None:
    mac = "0" * 64
    for wrong in ("blog", f"blog:x:{mac}", "blog:1:00", f"blog:1:{'z' * 64}", f"nowhere:1:{mac}"):
        with pytest.raises(CommandFailed):
            await verify(house, wrong)


async def test_a_site_called_installation_is_not_taken_for_the_installation(house: House) -> None:
    async with commands.working(house.settings) as services:
        await commands.create_site(services, "installation", "T", ["https://t.example"])
    chains = await verify(house)
    assert sorted(chains) == ["(installation)", "blog", "elsewhere", "installation"]
    head = chains["installation"].line.rpartition(" ")[2]
    assert all(chain.flaws == [] for chain in (await verify(house, head)).values())


async def test_a_file_that_is_no_head_of_ours_is_no_flaw(house: House) -> None:
    await fill(house)
    (house.settings.data_dir / "log-heads" / ".DS_Store").touch()
    assert await flaws(house) == []
