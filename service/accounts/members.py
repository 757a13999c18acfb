"""Making accounts, and giving them roles on sites.

Members see each other's names, so an owner who adds somebody learns by the name that comes back whether an
address has an account already; each try makes a member and a line in the log, and there are only so many in
an hour. An owner never sees the one-time link of a new account: who made up the account of somebody else's
address would get into each site that this person is added to later. Links are for admins to hand out.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.credentials import lock_moderator
from service.accounts.errors import AccountExists, LastOwner, MemberExists
from service.accounts.links import can_sign_in
from service.accounts.queries import find_moderator, read_members
from service.accounts.rules import Caller, Role, parse_role
from service.accounts.schemas import AddMember, Member
from service.accounts.tables import Membership, Moderator
from service.clock import new_id
from service.comments.tables import Comment
from service.database import insert
from service.database.statements import only_once
from service.errors import NotFound
from service.privacy.addresses import Address, check_address
from service.privacy.tables import SealedAddress
from service.privacy.vault import NO_SITE
from service.rate_limiting.rules import Limit, Rule
from service.services import Services
from service.sites.tables import Site
from service.work import Work

# Each makes an account, or tells by its name whose an address is.
ADDED_MEMBERS = Limit(burst=30, period_seconds=3_600)


async def show_members(services: Services, site_id: UUID, only: UUID | None = None) -> list[Member]:
    """Give the members of a site, by name, or `only` one of them; raises NotFound."""
    async with services.reading() as session:
        found = await read_members(session, site_id, only=only)
    if only and not found:
        raise NotFound
    return found


async def add_member(services: Services, caller: Caller, site_id: UUID, command: AddMember) -> Member:
    """Give whoever has an address a role on a site; raises AddressRefused, RateLimited or MemberExists."""
    address = check_address(command.email)
    if not caller.is_admin:
        await services.charge([Rule("members", ADDED_MEMBERS, str(caller.moderator_id))])
    try:
        moderator_id = await _add_member(services, caller, site_id, command, address)
    except AccountExists:
        # Made by somebody else at this very moment: by now it is one that is there.
        moderator_id = await _add_member(services, caller, site_id, command, address)
    [member] = await show_members(services, site_id, moderator_id)
    return member


async def _add_member(
    services: Services, caller: Caller, site_id: UUID, command: AddMember, address: Address
) -> UUID:
    async with services.changing(caller.moderator_id) as work:
        moderator = await find_moderator(work.session, work.keyring, address)
        if moderator is None:
            moderator = await create_moderator(work, address, name=command.name)
        else:
            # So that of two who add somebody at once the second one is told.
            await lock_moderator(work.session, moderator.id)
            if await work.session.get(Membership, (site_id, moderator.id)):
                raise MemberExists
        await set_role(work, site_id, moderator.id, parse_role(command.role))
    return moderator.id


async def change_role(
    services: Services, caller: Caller, site_id: UUID, moderator_id: UUID, role: Role | None
) -> None:
    """Give a member another role, or with None take it away; raises NotFound or LastOwner.

    Admins of the installation give one to whoever has an account.
    """
    only_member = role is None or not caller.is_admin
    async with services.changing(caller.moderator_id) as work:
        await set_role(work, site_id, moderator_id, role, only_member=only_member)


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
        is_theirs = col(Membership.moderator_id) == moderator_id
        await session.exec(delete(Membership).where(is_theirs, col(Membership.site_id) == site_id))
    else:
        values = {"site_id": site_id, "moderator_id": moderator_id, "role": role.word}
        statement = insert(work.connection, Membership).values(**values, created_at=work.now)
        keys = ["site_id", "moderator_id"]
        await session.exec(statement.on_conflict_do_update(index_elements=keys, set_={"role": role.word}))
    if role is None or role < Role.MODERATOR:
        await give_claims_back(session, moderator_id, site_id)
    work.log(site_id, "member.changed", f"{moderator_id}:{role.word if role else 'none'}")


async def give_claims_back(session: AsyncSession, moderator_id: UUID, site_id: UUID | None = None) -> None:
    """End the claims of a moderator, on one site or everywhere, so that nobody waits for their leases."""
    is_held = col(Comment.claimed_by) == moderator_id
    query = select(Comment.id).where(is_held).order_by(col(Comment.id))
    if site_id is not None:
        query = query.where(Comment.site_id == site_id)
    # Locked in the order in which decisions take theirs.
    ids = (await session.exec(query.with_for_update())).all()
    chosen = update(Comment).where(col(Comment.id).in_(ids), is_held)
    await session.exec(chosen.values(claimed_by=None, claimed_until=None))


async def require_other_owners(work: Work, moderator_id: UUID, site_ids: Sequence[UUID]) -> None:
    """Raise LastOwner unless each of the sites has another owner who can sign in."""
    is_owner = (col(Membership.site_id).in_(site_ids), Membership.role == Role.OWNER.word)
    owners = select(Membership).where(*is_owner)
    ordered = owners.order_by(col(Membership.site_id), col(Membership.moderator_id))
    # Locked, so that two owners who remove each other do not both succeed.
    session = work.session
    await session.exec(ordered.with_for_update())
    # Asked once they are locked, so that it sees what others did meanwhile.
    query = select(Membership.site_id).join(Moderator, col(Moderator.id) == col(Membership.moderator_id))
    active = query.where(*is_owner, can_sign_in(work.now))
    others = (await session.exec(active.where(Membership.moderator_id != moderator_id))).all()
    if left := set(site_ids).difference(others):
        slugs = await session.exec(select(Site.slug).where(col(Site.id).in_(left)))
        named = ", ".join(sorted(slugs))
        raise LastOwner(f"Without an owner who can sign in there would be: {named}.")
