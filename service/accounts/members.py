"""Making accounts, and giving them roles on sites."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import col, delete, select

from service.accounts.claims import give_claims_back
from service.accounts.credentials import lock_moderator
from service.accounts.errors import AccountExists, LastOwner
from service.accounts.links import can_sign_in
from service.accounts.queries import find_moderator
from service.accounts.rules import Role
from service.accounts.tables import Membership, Moderator
from service.clock import new_id
from service.database import insert
from service.database.statements import only_once
from service.errors import NotFound
from service.privacy.addresses import Address
from service.privacy.tables import SealedAddress
from service.privacy.vault import NO_SITE
from service.sites.tables import Site
from service.work import Work


async def create_moderator(
    work: Work,
    address: Address,
    *,
    name: str,
    password_hash: str | None = None,
    is_admin: bool = False,
) -> Moderator:
    """Make an account; raises AccountExists."""
    if await find_moderator(work.session, work.keyring, address):
        raise AccountExists
    moderator = Moderator(
        id=new_id(), name=name, password_hash=password_hash, is_admin=is_admin, created_at=work.now
    )
    sealed = work.keyring.seal_address(moderator.id, None, address.original, address.folded)
    async with only_once(work.session, AccountExists()):
        work.session.add_all([moderator, SealedAddress(**sealed)])
    work.log(NO_SITE, "moderator.created", f"{moderator.id}:admin" if is_admin else moderator.id)
    if password_hash:
        work.log(NO_SITE, "password.changed", moderator.id)
    return moderator


async def set_role(
    work: Work, site_id: UUID, moderator_id: UUID, role: Role | None, *, only_member: bool = False
) -> None:
    """Give a moderator a role on a site, or with None take it away; raises NotFound or LastOwner.

    With `only_member` who has none there is not found either. A site that has an owner keeps at least one.
    Claims of who may not decide there any more end.
    """
    session = work.session
    await lock_moderator(session, moderator_id)
    before = await session.get(Membership, (site_id, moderator_id))
    if before is None and only_member:
        raise NotFound
    if before and before.role == Role.OWNER.word and role is not Role.OWNER:
        await require_other_owners(work, moderator_id, [site_id])
    if role is None:
        await session.exec(delete(Membership).where(*_is_member(site_id, moderator_id)))
    else:
        values = {"site_id": site_id, "moderator_id": moderator_id, "role": role.word}
        statement = insert(work.connection, Membership).values(**values, created_at=work.now)
        keys = ["site_id", "moderator_id"]
        await session.exec(
            statement.on_conflict_do_update(index_elements=keys, set_={"role": role.word})
        )
    if role is None or role < Role.MODERATOR:
        await give_claims_back(session, moderator_id, site_id)
    work.log(site_id, "member.changed", f"{moderator_id}:{role.word if role else 'none'}")


async def require_other_owners(work: Work, moderator_id: UUID, site_ids: Sequence[UUID]) -> None:
    """Raise LastOwner unless each of the sites has another owner who can sign in."""
    is_owner = (col(Membership.site_id).in_(site_ids), Membership.role == Role.OWNER.word)
    owners = select(Membership).where(*is_owner)
    ordered = owners.order_by(col(Membership.site_id), col(Membership.moderator_id))
    # Locked, so that two owners who remove each other do not both succeed.
    session = work.session
    await session.exec(ordered.with_for_update())
    # Asked once they are locked, so that it sees what others did meanwhile.
    query = select(Membership.site_id).join(
        Moderator, col(Moderator.id) == col(Membership.moderator_id)
    )
    active = query.where(*is_owner, can_sign_in(work.now))
    others = (await session.exec(active.where(Membership.moderator_id != moderator_id))).all()
    if left := set(site_ids).difference(others):
        slugs = await session.exec(select(Site.slug).where(col(Site.id).in_(left)))
        named = ", ".join(sorted(slugs))
        raise LastOwner(f"Without an owner who can sign in there would be: {named}.")


def _is_member(
    site_id: UUID, moderator_id: UUID
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (col(Membership.site_id) == site_id, col(Membership.moderator_id) == moderator_id)
