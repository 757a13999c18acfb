"""Making accounts, and giving them roles on sites."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.claims import give_claims_back
from service.accounts.credentials import lock_moderator
from service.accounts.errors import AccountExists, LastOwner
from service.accounts.links import can_sign_in
from service.accounts.queries import find_moderator
from service.accounts.rules import Role
from service.accounts.tables import Membership, Moderator
from service.clock import new_id
from service.database import insert
from service.database.repeats import only_once
from service.errors import NotFound
from service.modlog.entries import make_entry
from service.modlog.operations import append_entries
from service.privacy.addresses import Address
from service.privacy.vault import NO_SITE, Keyring
from service.sites.tables import Site


async def create_moderator(
    session: AsyncSession,
    keyring: Keyring,
    address: Address,
    *,
    name: str,
    now: datetime,
    password_hash: str | None = None,
    is_admin: bool = False,
    actor_id: UUID | None = None,
) -> Moderator:
    """Make an account; raises AccountExists."""
    if await find_moderator(session, keyring, address):
        raise AccountExists
    moderator = Moderator(
        id=new_id(), name=name, password_hash=password_hash, is_admin=is_admin, created_at=now
    )
    async with only_once(session, AccountExists()):
        session.add(moderator)
        session.add(keyring.seal_address(moderator.id, None, address.original, address.folded))
    subject = f"{moderator.id}:admin" if is_admin else f"{moderator.id}"
    entries = [make_entry("moderator.created", now, actor_id, subject=subject)]
    if password_hash:
        entries.append(make_entry("password.changed", now, actor_id, subject=str(moderator.id)))
    await append_entries(session, keyring, NO_SITE, entries)
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
    only_member: bool = False,
) -> None:
    """Give a moderator a role on a site, or with None take it away; raises NotFound or LastOwner.

    With `only_member` who has none there is not found either. A site that has an owner keeps at least one.
    Claims of who may not decide there any more end.
    """
    await lock_moderator(session, moderator_id)
    before = await session.get(Membership, (site_id, moderator_id))
    if before is None and only_member:
        raise NotFound
    if before and before.role == Role.OWNER.word and role is not Role.OWNER:
        await require_other_owners(session, moderator_id, [site_id], now)
    if role is None:
        await session.exec(delete(Membership).where(*_is_member(site_id, moderator_id)))
    else:
        values = {"site_id": site_id, "moderator_id": moderator_id, "role": role.word}
        statement = insert(session, Membership).values(**values, created_at=now)
        keys = ["site_id", "moderator_id"]
        await session.exec(
            statement.on_conflict_do_update(index_elements=keys, set_={"role": role.word})
        )
    if role is None or role < Role.MODERATOR:
        await give_claims_back(session, moderator_id, site_id)
    subject = f"{moderator_id}:{role.word if role else 'none'}"
    await append_entries(
        session, keyring, site_id, [make_entry("member.changed", now, actor_id, subject=subject)]
    )


async def require_other_owners(
    session: AsyncSession, moderator_id: UUID, site_ids: Sequence[UUID], now: datetime
) -> None:
    """Raise LastOwner unless each of the sites has another owner who can sign in."""
    is_owner = (col(Membership.site_id).in_(site_ids), Membership.role == Role.OWNER.word)
    owners = select(Membership).where(*is_owner)
    ordered = owners.order_by(col(Membership.site_id), col(Membership.moderator_id))
    # Locked, so that two owners who remove each other do not both succeed.
    await session.exec(ordered.with_for_update())
    # Asked once they are locked, so that it sees what others did meanwhile.
    query = select(Membership.site_id).join(
        Moderator, col(Moderator.id) == col(Membership.moderator_id)
    )
    active = query.where(*is_owner, can_sign_in(now))
    others = (await session.exec(active.where(Membership.moderator_id != moderator_id))).all()
    if left := set(site_ids).difference(others):
        slugs = await session.exec(select(Site.slug).where(col(Site.id).in_(left)))
        named = ", ".join(sorted(slugs))
        raise LastOwner(f"Without an owner who can sign in there would be: {named}.")


def _is_member(
    site_id: UUID, moderator_id: UUID
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (col(Membership.site_id) == site_id, col(Membership.moderator_id) == moderator_id)
