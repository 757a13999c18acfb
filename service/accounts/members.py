"""Making accounts, and giving them roles on sites."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.errors import AccountExists
from service.accounts.queries import find_moderator
from service.accounts.rules import Role
from service.accounts.tables import Membership, Moderator
from service.clock import new_id
from service.database import insert
from service.errors import NotAllowed, NotFound
from service.modlog.entries import make_entry
from service.modlog.operations import append_entries
from service.privacy.addresses import Address
from service.privacy.vault import NO_SITE, Keyring


async def create_moderator(
    session: AsyncSession,
    keyring: Keyring,
    address: Address,
    *,
    name: str,
    now: datetime,
    password_hash: str | None = None,
    is_admin: bool = False,
) -> Moderator:
    """Make an account; raises AccountExists."""
    if await find_moderator(session, keyring, address):
        raise AccountExists
    moderator = Moderator(
        id=new_id(), name=name, password_hash=password_hash, is_admin=is_admin, created_at=now
    )
    session.add(moderator)
    session.add(keyring.seal_address(moderator.id, None, address.original, address.folded))
    subject = f"{moderator.id}:admin" if is_admin else f"{moderator.id}"
    entry = make_entry("moderator.created", now, None, subject=subject)
    await append_entries(session, keyring, NO_SITE, [entry])
    return moderator


async def set_role(
    session: AsyncSession,
    keyring: Keyring,
    site_id: UUID,
    moderator_id: UUID,
    role: Role | None,
    *,
    actor_id: UUID | None,
    now: datetime,
) -> None:
    """Give a moderator a role on a site, or with None take it away; raises NotFound, NotAllowed.

    A site that has an owner keeps at least one.
    """
    if await session.get(Moderator, moderator_id) is None:
        raise NotFound
    before = await session.get(Membership, (site_id, moderator_id))
    if before is None and role is None:
        raise NotFound
    if before and before.role == Role.OWNER.word and role is not Role.OWNER:
        await _require_another_owner(session, site_id, moderator_id)
    if role is None:
        await session.exec(delete(Membership).where(*_is_member(site_id, moderator_id)))
    else:
        values = {"site_id": site_id, "moderator_id": moderator_id, "role": role.word}
        statement = insert(session, Membership).values(**values, created_at=now)
        keys = ["site_id", "moderator_id"]
        await session.exec(
            statement.on_conflict_do_update(index_elements=keys, set_={"role": role.word})
        )
    subject = f"{moderator_id}:{role.word if role else 'none'}"
    await append_entries(
        session, keyring, site_id, [make_entry("member.changed", now, actor_id, subject=subject)]
    )


async def _require_another_owner(session: AsyncSession, site_id: UUID, moderator_id: UUID) -> None:
    others = select(Membership).where(
        Membership.site_id == site_id,
        Membership.role == Role.OWNER.word,
        Membership.moderator_id != moderator_id,
    )
    # Locked, so that two owners who remove each other do not both succeed.
    if (await session.exec(others.with_for_update())).first() is None:
        raise NotAllowed("The last owner of a site stays its owner.")


def _is_member(
    site_id: UUID, moderator_id: UUID
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (col(Membership.site_id) == site_id, col(Membership.moderator_id) == moderator_id)
