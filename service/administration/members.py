"""Adding members of a site by their addresses.

Members see each other's names, so an owner learns by the name that comes back whether an address has an
account already; each try makes a member and a line in the log, and there are only so many in an hour. An
owner never sees the one-time link of a new account: who made up the account of somebody else's address would
get into each site that this person is added to later. Links are for admins to hand out.
"""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from service.accounts.credentials import lock_moderator
from service.accounts.errors import AccountExists, MemberExists
from service.accounts.guards import require_moderator
from service.accounts.members import create_moderator, set_role
from service.accounts.queries import find_moderator
from service.accounts.rules import Caller, Role, parse_role
from service.accounts.schemas import AddMember, Member
from service.accounts.tables import Membership
from service.administration.queries import read_members
from service.administration.routes import require_changeable, require_site
from service.clock import parse_id
from service.errors import Invalid, NotAllowed, NotFound, OriginNotAllowed, RateLimited
from service.http.answers import answer, created
from service.http.docs import Doc
from service.http.reading import AppRequest, read_command
from service.privacy.addresses import Address, check_address
from service.rate_limiting.rules import Limit, Rule
from service.services import Services
from service.sites.directory import KnownSite

GUARDED = [require_moderator]
# Each makes an account, or tells by its name whose an address is.
ADDED_MEMBERS = Limit(burst=30, period_seconds=3_600)


@post(
    "/v1/sites/{site:str}/members",
    guards=GUARDED,
    opt=Doc(
        tag="Members",
        body=AddMember,
        answers={201: Member},
        problems=(NotAllowed, OriginNotAllowed, NotFound, MemberExists, Invalid, RateLimited),
    ).as_opt(),
)
async def add_member(
    request: AppRequest,
    site: FromPath[str],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """Give whoever has an address a role on the site; for owners.

    Who has no account yet gets one under this `name`, and a link to it from an admin of the installation; who
    has one keeps the name that it has.
    """
    known = await require_changeable(request, services, caller, site, Role.OWNER)
    command = await read_command(request, AddMember)
    address = check_address(command.email)
    if not caller.is_admin:
        await services.charge([Rule("members", ADDED_MEMBERS, str(caller.moderator_id))])
    try:
        moderator_id = await _add(services, caller, known, command, address)
    except AccountExists:
        # Made by somebody else at this very moment: by now it is one that is there.
        moderator_id = await _add(services, caller, known, command, address)
    member = await _show(services, known, moderator_id)
    return created(member, f"/v1/sites/{site}/members/{moderator_id}")


async def _add(
    services: Services, caller: Caller, site: KnownSite, command: AddMember, address: Address
) -> UUID:
    async with services.changing(caller.moderator_id) as work:
        moderator = await find_moderator(work.session, work.keyring, address)
        if moderator is None:
            moderator = await create_moderator(work, address, name=command.name)
        else:
            # So that of two who add somebody at once the second one is told.
            await lock_moderator(work.session, moderator.id)
            if await work.session.get(Membership, (site.id, moderator.id)):
                raise MemberExists
        await set_role(work, site.id, moderator.id, parse_role(command.role))
    return moderator.id


@get(
    "/v1/sites/{site:str}/members/{moderator:str}",
    guards=GUARDED,
    opt=Doc(tag="Members", answers={200: Member}, problems=(NotFound,)).as_opt(),
)
async def show_member(
    site: FromPath[str],
    moderator: FromPath[str],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """Show one moderator of a site with the role."""
    known = await require_site(services, caller, site, Role.VIEWER)
    moderator_id = parse_id(moderator)
    if moderator_id is None:
        raise NotFound
    return answer(await _show(services, known, moderator_id))


async def _show(services: Services, site: KnownSite, moderator_id: UUID) -> Member:
    async with services.reading() as session:
        found = await read_members(session, site.id, only=moderator_id)
    if not found:
        raise NotFound
    return found[0]


ROUTES = [add_member, show_member]
