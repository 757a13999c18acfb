"""The routes of accounts, for admins of the installation; to everybody else there are none."""

from typing import Any
from uuid import UUID

from litestar import Response, delete, get, patch, post
from litestar.params import FromPath

from service.accounts import operations
from service.accounts.errors import AccountDisabled, AccountExists, LastAdmin, LastOwner
from service.accounts.guards import caller_of, require_moderator
from service.accounts.queries import read_moderators
from service.accounts.rules import require_id
from service.accounts.schemas import (
    ChangeModerator,
    CreateModerator,
    LinkMade,
    ListPage,
    ModeratorList,
    ModeratorMade,
    ModeratorView,
    SignOutEverywhere,
)
from service.errors import NotAllowed, NotFound
from service.http.answers import answer, created, no_content
from service.http.cursors import cut_page, read_cursor
from service.http.faults import Faults
from service.http.reading import AppRequest, read_command, read_query
from service.http.routing import Router
from service.services import Services, services_of


def find_named(request: AppRequest, moderator: str) -> UUID:
    """Give the id of an account in a path; raises NotFound for who may not know of it, or NotAllowed."""
    caller = caller_of(request)
    if not caller.is_admin:
        raise NotFound
    moderator_id = require_id(moderator)
    caller.require_admin()
    return moderator_id


async def _show(services: Services, moderator_id: UUID) -> ModeratorView:
    async with services.reading() as session:
        found = await read_moderators(session, only=moderator_id)
    if not found:
        raise NotFound
    return found[0]


@get("/", query=ListPage, answers={200: ModeratorList})
async def list_moderators(request: AppRequest) -> Response[Any]:
    """List the accounts of the installation, the oldest first; for admins."""
    caller_of(request).require_admin()
    with Faults() as faults:
        wanted = read_query(request, ListPage, faults)
        after = read_cursor(wanted.cursor, "moderators", faults)
    start = after.id if after else None
    async with services_of(request).reading() as session:
        found = await read_moderators(session, after=start, limit=wanted.limit + 1)
    return answer(ModeratorList(*cut_page(found, wanted.limit, "moderators")))


@post("/", body=CreateModerator, answers={201: ModeratorMade}, problems=(AccountExists,))
async def create_moderator(request: AppRequest) -> Response[Any]:
    """Make an account without a role, and a one-time link for its owner; for admins."""
    services, caller = services_of(request), caller_of(request)
    caller.require_admin()
    command = await read_command(request, CreateModerator)
    made, link = await operations.create_account(services, command, caller.moderator_id)
    return created(ModeratorMade(await _show(services, made), link), f"/v1/moderators/{made}")


@get("/{moderator:str}", answers={200: ModeratorView})
async def show_moderator(request: AppRequest, moderator: FromPath[str]) -> Response[Any]:
    """Show one account with its roles; for admins."""
    return answer(await _show(services_of(request), find_named(request, moderator)))


@patch(
    "/{moderator:str}",
    body=ChangeModerator,
    answers={200: ModeratorView},
    problems=(LastOwner, LastAdmin),
)
async def change_moderator(request: AppRequest, moderator: FromPath[str]) -> Response[Any]:
    """Disable an account, enable it again, or make it an admin's or not; for admins.

    Sessions, links, tokens and claims of who is disabled end at once; roles and password wait.
    """
    moderator_id = find_named(request, moderator)
    command = await read_command(request, ChangeModerator)
    services, actor_id = services_of(request), caller_of(request).moderator_id
    await operations.change_account(services, moderator_id, command, actor_id)
    return answer(await _show(services, moderator_id))


@delete("/{moderator:str}", answers={204: None}, problems=(LastOwner, LastAdmin))
async def remove_moderator(request: AppRequest, moderator: FromPath[str]) -> Response[None]:
    """Remove an account for good, with its address and roles; the log keeps id and name; for admins."""
    moderator_id, actor_id = find_named(request, moderator), caller_of(request).moderator_id
    await operations.remove_account(services_of(request), moderator_id, actor_id)
    return no_content()


@post("/{moderator:str}/sign-out", body=SignOutEverywhere, answers={204: None})
async def sign_out_moderator(request: AppRequest, moderator: FromPath[str]) -> Response[Any]:
    """End every session and open link of an account, and its tokens if asked; for admins."""
    moderator_id, actor_id = find_named(request, moderator), caller_of(request).moderator_id
    command = await read_command(request, SignOutEverywhere)
    await operations.sign_out_everywhere(
        services_of(request), moderator_id, tokens=command.tokens, actor_id=actor_id
    )
    return no_content()


@post("/{moderator:str}/link", answers={200: LinkMade}, problems=(AccountDisabled,))
async def renew_link(request: AppRequest, moderator: FromPath[str]) -> Response[Any]:
    """Give a one-time link to hand to the account's owner, in the place of any before; for admins."""
    moderator_id, caller = find_named(request, moderator), caller_of(request)
    return answer(await operations.create_link(services_of(request), moderator_id, caller))


ROUTERS = [
    Router(
        "/v1/moderators",
        guards=[require_moderator],
        opt={"tag": "Moderators", "common": (NotAllowed,)},
        route_handlers=[
            list_moderators,
            create_moderator,
            show_moderator,
            change_moderator,
            remove_moderator,
            sign_out_moderator,
            renew_link,
        ],
    )
]
