"""The free text of entries: it can be erased and the chain stays whole, but it cannot be changed."""

from hashlib import sha256
from uuid import UUID

from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from service.command_line import commands
from service.modlog.rules import entry_bytes
from service.modlog.tables import LogEntry, LogHead, LogText
from tests.api.moderation.tampering import fill, flaws, tamper, verify
from tests.cast import House


async def test_an_erased_note_is_whole_and_shows_as_erased(house: House) -> None:
    await fill(house)

    async def erase(session: AsyncSession, site_id: UUID) -> None:
        await session.exec(delete(LogText))

    await tamper(house, erase)
    assert await flaws(house) == []
    lines = (await house.bob.get("/v1/moderation/log")).json()["entries"]
    [erased] = [line for line in lines if line["note_erased"]]
    assert (erased["action"], erased["note"]) == ("spam", None)


async def test_an_erased_note_is_told_of_as_erased(house: House) -> None:
    length = await fill(house)
    await tamper(house, lambda session, _: session.exec(delete(LogText)))
    blog = (await verify(house))["blog"]
    assert blog.erased == [length - 1]
    assert blog.lines == [blog.line, f"  erased: the free text of entries {length - 1}"]


async def test_a_changed_note_is_named_at_its_entry(house: House) -> None:
    length = await fill(house)

    async def rewrite(session: AsyncSession, site_id: UUID) -> None:
        await session.exec(update(LogText).values(text="Sells flowers."))

    await tamper(house, rewrite)
    assert await flaws(house) == [("changed", length - 1)]


async def test_the_border_between_salt_and_note_cannot_be_moved(house: House) -> None:
    length = await fill(house)

    async def move(session: AsyncSession, site_id: UUID) -> None:
        note = (await session.exec(select(LogText))).one()
        note.salt, note.text = note.salt + note.text[:6].encode(), note.text[6:]
        session.add(note)

    await tamper(house, move)
    assert await flaws(house) == [("changed", length - 1)]


async def test_notes_of_the_first_versions_still_verify_and_keep_their_border(
    house: House,
) -> None:
    length = await fill(house)

    async def write_as_before(session: AsyncSession, site_id: UUID) -> None:
        """Hash the one note as was done at first, and chain the entries from there on anew."""
        keyring = await services.vault.keyring(session)
        note = (await session.exec(select(LogText))).one()
        query = select(LogEntry).where(LogEntry.site_id == site_id).order_by(col(LogEntry.seq))
        previous = bytes(32)
        for row in (await session.exec(query)).all():
            if row.id == note.entry_id:
                row.text_hash = sha256(note.salt + note.text.encode()).digest()
            row.previous, row.mac = previous, bytes(32)
            previous = row.mac = keyring.mac("log", entry_bytes(row))
            session.add(row)
        head = update(LogHead).where(col(LogHead.site_id) == site_id)
        await session.exec(head.values(mac=previous))

    async def move(session: AsyncSession, site_id: UUID) -> None:
        note = (await session.exec(select(LogText))).one()
        note.salt, note.text = note.salt[:-1], chr(note.salt[-1] % 128) + note.text
        session.add(note)

    async with commands.working(house.settings) as services:
        await tamper(house, write_as_before)
    for file in (house.settings.data_dir / "log-heads").iterdir():
        file.unlink()
    assert await flaws(house) == []
    await tamper(house, move)
    assert await flaws(house) == [("changed", length - 1)]
