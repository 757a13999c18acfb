"""The routes of a site's members."""

from typing import Any

from litestar import Response, delete, get, post, put
from litestar.params import FromPath

from service.accounts.errors import LastOwner, MemberExists
from service.accounts.guards import (
    caller_of,
    require_changeable,
    require_moderator,
    require_site,
)
from service.accounts.members import add_member as add
from service.accounts.members import change_role, show_members
from service.accounts.rules import Role, parse_role, require_id
from service.accounts.schemas import AddMember, Member, MemberList, SetRole
from service.errors import NotAllowed, OriginNotAllowed, RateLimited
from service.http.answers import answer, created, no_content
from service.http.reading import AppRequest, read_command
from service.http.routing import Router
from service.services import services_of


@get("/", answers={200: MemberList})
async def list_members(request: AppRequest, site: FromPath[str]) -> Response[Any]:
    """List the moderators of a site with their roles."""
    known = await require_site(request, site, Role.VIEWER)
    return answer(MemberList(await show_members(services_of(request), known.id)))


@get("/{moderator:str}", answers={200: Member})
async def show_member(request: AppRequest, site: FromPath[str], moderator: FromPath[str]) -> Response[Any]:
    """Show one moderator of a site with the role."""
    known = await require_site(request, site, Role.VIEWER)
    [found] = await show_members(services_of(request), known.id, require_id(moderator))
    return answer(found)


@post(
    "/",
    body=AddMember,
    answers={201: Member},
    problems=(NotAllowed, OriginNotAllowed, MemberExists, RateLimited),
)
async def add_member(request: AppRequest, site: FromPath[str]) -> Response[Any]:
    """Give whoever has an address a role on the site; for owners.

    Who has no account yet gets one under this `name`, and a link to it from an admin of the installation; who
    has one keeps the name that it has.
    """
    known = await require_changeable(request, site, Role.OWNER)
    command = await read_command(request, AddMember)
    member = await add(services_of(request), caller_of(request), known.id, command)
    return created(member, f"/v1/sites/{site}/members/{member.moderator.id}")


@put(
    "/{moderator:str}",
    body=SetRole,
    answers={204: None},
    problems=(NotAllowed, OriginNotAllowed, LastOwner),
)
async def set_member(request: AppRequest, site: FromPath[str], moderator: FromPath[str]) -> Response[None]:
    """Change the role of a member of the site; for owners. The last owner stays one.

    Only an admin of the installation gives one to an account that is no member yet; to others that is as
    unknown as one that does not exist, and they add members by their addresses.
    """
    known = await require_changeable(request, site, Role.OWNER)
    role = parse_role((await read_command(request, SetRole)).role)
    caller = caller_of(request)
    await change_role(services_of(request), caller, known.id, require_id(moderator), role)
    return no_content()


@delete(
    "/{moderator:str}",
    answers={204: None},
    problems=(NotAllowed, OriginNotAllowed, LastOwner),
)
async def remove_member(request: AppRequest, site: FromPath[str], moderator: FromPath[str]) -> Response[None]:
    """Take a moderator's role on the site away; for owners. The last owner stays one."""
    known = await require_changeable(request, site, Role.OWNER)
    caller = caller_of(request)
    await change_role(services_of(request), caller, known.id, require_id(moderator), None)
    return no_content()


ROUTERS = [
    Router(
        "/v1/sites/{site:str}/members",
        guards=[require_moderator],
        opt={"tag": "Members"},
        route_handlers=[list_members, add_member, show_member, set_member, remove_member],
    )
]
