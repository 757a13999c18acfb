"""Tampering with the log in the database itself, and what `greenroom log verify` says of it."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from service.command_line import commands
from service.command_line.log import Verified, verify_logs
from service.comments.tables import Comment
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


async def flaws_of_chain(house: House) -> list[tuple[str, int]]:
    """Name what is wrong with the chain of `blog` itself, whatever else it does not speak of any more."""
    return [flaw for flaw in await flaws(house) if flaw[0] != "unlogged"]


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


def cut_to(length: int) -> Callable[[AsyncSession, UUID], Awaitable[None]]:
    """Set a site's log and its comments back to an earlier moment, as an older backup has them."""

    async def cut(session: AsyncSession, site_id: UUID) -> None:
        gone = (col(LogEntry.site_id) == site_id, col(LogEntry.seq) > length)
        ids = select(LogEntry.id).where(*gone)
        await session.exec(delete(LogText).where(col(LogText.entry_id).in_(ids)))
        await session.exec(delete(LogEntry).where(*gone))
        query = select(LogEntry.mac).where(*entry(site_id, length))
        mac = (await session.exec(query)).first() or bytes(32)
        head = update(LogHead).where(col(LogHead.site_id) == site_id)
        await session.exec(head.values(length=length, mac=mac))
        for comment in (await session.exec(select(Comment).where(Comment.site_id == site_id))).all():
            await set_back(session, comment)

    return cut


async def set_back(session: AsyncSession, comment: Comment) -> None:
    told = (col(LogEntry.comment_id) == comment.id, col(LogEntry.to_status).is_not(None))
    query = select(LogEntry).where(*told).order_by(col(LogEntry.seq).desc())
    last = (await session.exec(query)).first()
    status, version = (last.to_status, last.version) if last else ("pending", 1)
    visibility = "visible" if status == "approved" else "hidden"
    this = update(Comment).where(col(Comment.id) == comment.id)
    await session.exec(this.values(status=status, version=version, visibility=visibility))
