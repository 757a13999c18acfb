"""Accepting a log as it is after a restore: the heads that do not fit go aside, and it is on record."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from service.command_line import commands
from service.command_line.log import Verified, accept_logs, verify_logs
from service.housekeeping import tidy_up
from service.modlog.tables import LogEntry, LogHead
from service.process import start_services
from service.sites.tables import Site
from service.telemetry.metrics import Metrics
from tests.api.moderation.tampering import cut_to, tamper
from tests.cast import House


async def accept(house: House) -> dict[str, Verified]:
    async with commands.working(house.settings) as services:
        return {chain.name: chain for chain in await accept_logs(services)}


async def flaws(house: House) -> list[tuple[str, str]]:
    """Name what is wrong, chain by chain."""
    async with commands.working(house.settings) as services:
        chains = await verify_logs(services)
    return [(chain.name, flaw.kind) for chain in chains for flaw in chain.flaws]


def forget_last(count: int) -> Callable[[AsyncSession, Any], Awaitable[None]]:
    """Leave the log of a site as an older backup has it."""

    async def forget(session: AsyncSession, site_id: Any) -> None:
        head = await session.get_one(LogHead, site_id)
        await cut_to(head.length - count)(session, site_id)

    return forget


async def decide_some(house: House, count: int = 4) -> None:
    for comment in [await house.submit() for _ in range(count)]:
        await house.approve(comment.id)


def set_aside(house: House) -> list[Path]:
    folder = house.settings.data_dir / "log-heads"
    return sorted(path for path in folder.iterdir() if ".set-aside-" in path.name)


async def test_a_restored_log_is_accepted_and_that_is_on_record(house: House) -> None:
    await decide_some(house)
    await tamper(house, forget_last(2))
    assert await flaws(house) == [("blog", "cut off")]
    accepted = (await accept(house))["blog"]
    assert accepted.is_right
    [aside] = set_aside(house)
    assert accepted.accepted == aside
    assert accepted.lines[-1].endswith(str(aside))
    assert len(aside.read_text().splitlines()) == 2
    assert await flaws(house) == []
    [line, *_] = (await house.bob.get("/v1/moderation/log")).json()["entries"]
    assert (line["action"], line["actor"]) == ("log.accepted", None)
    longest = aside.read_text().splitlines()[-1].split()
    assert line["subject"].endswith(f" heads=2 longest={int(longest[0])}:{longest[1]}")
    # From now on the log is held to what is accepted.
    await decide_some(house)
    await tamper(house, forget_last(1))
    assert await flaws(house) == [("blog", "cut off")]


async def test_work_since_the_restore_is_accepted_as_well(house: House) -> None:
    await decide_some(house)
    await tamper(house, forget_last(2))
    await decide_some(house)
    assert await flaws(house) == [("blog", "replaced")] * 2
    assert all(chain.is_right for chain in (await accept(house)).values())
    assert await flaws(house) == []


async def test_where_all_is_well_nothing_is_accepted(house: House) -> None:
    await decide_some(house)
    async with house.nothing_changes():
        assert all(chain.is_right and not chain.accepted for chain in (await accept(house)).values())
    assert set_aside(house) == []


async def change_an_entry(session: AsyncSession, site_id: Any) -> None:
    chosen = update(LogEntry).where(col(LogEntry.site_id) == site_id, col(LogEntry.seq) == 2)
    await session.exec(chosen.values(reason="forged"))


async def remove_the_last_alone(session: AsyncSession, site_id: Any) -> None:
    length = (await session.get_one(LogHead, site_id)).length
    gone = (col(LogEntry.site_id) == site_id, col(LogEntry.seq) == length)
    await session.exec(delete(LogEntry).where(*gone))


@pytest.mark.parametrize("how", [change_an_entry, remove_the_last_alone])
async def test_what_the_database_itself_speaks_against_is_not_accepted(
    house: House, how: Callable[[AsyncSession, Any], Awaitable[None]]
) -> None:
    await decide_some(house)
    await tamper(house, forget_last(1))
    await tamper(house, how)
    before = await flaws(house)
    async with house.nothing_changes():
        chain = (await accept(house))["blog"]
    assert not chain.is_right
    assert chain.lines[-1].startswith("  not accepted: ")
    assert set_aside(house) == []
    assert await flaws(house) == before


async def test_a_site_that_the_backup_does_not_have_is_on_record_with_the_installation(
    house: House,
) -> None:
    async with commands.working(house.settings) as services:
        await commands.add_site(services, "new", "New", ["https://new.example"])
    async with house.database.writing() as session:
        new = (await session.exec(select(Site).where(col(Site.slug) == "new"))).one()
        name = f"({new.id})"
    await tamper(house, forget_site("new"))
    assert await flaws(house) == [(name, "cut off")]
    assert (await accept(house))[name].is_right
    assert await flaws(house) == []
    async with house.database.reading() as session:
        query = select(LogEntry).where(col(LogEntry.action) == "log.accepted")
        [entry] = (await session.exec(query)).all()
    assert entry.site_id.int == 0
    assert (entry.subject or "").startswith(f"{name[1:-1]} heads=1 ")


def forget_site(slug: str) -> Callable[[AsyncSession, Any], Awaitable[None]]:
    async def forget(session: AsyncSession, _: Any) -> None:
        site = (await session.exec(select(Site).where(col(Site.slug) == slug))).one()
        for table in (LogEntry, LogHead):
            await session.exec(delete(table).where(col(table.site_id) == site.id))
        origins = Site.metadata.tables["site_origin"]
        await (await session.connection()).execute(origins.delete().where(origins.c.site_id == site.id))
        await session.delete(site)

    return forget


async def test_a_cut_shows_after_the_heads_were_thinned(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.modlog.heads.LONG", 6)
    monkeypatch.setattr("service.modlog.heads.LAST", 2)
    monkeypatch.setattr("service.modlog.heads.PART", 1)
    await decide_some(house)
    await tamper(house, forget_last(1))
    await decide_some(house, 8)
    [path] = (path for path in (house.settings.data_dir / "log-heads").iterdir() if lines(path) > 6)
    before = lines(path)
    async with start_services(house.settings, house.clock, Metrics()) as services:
        await tidy_up(services)
    assert lines(path) < before
    assert await flaws(house) == [("blog", "replaced")]


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())
