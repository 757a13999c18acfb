"""The routes of accounts, for admins of the installation; to everybody else there are none."""

from typing import Any
from uuid import UUID

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from service.accounts import operations
from service.accounts.errors import AccountDisabled, AccountExists, LastAdmin, LastOwner
from service.accounts.guards import require_moderator
from service.accounts.queries import read_moderators
from service.accounts.rules import Caller
from service.accounts.schemas import (
    ChangeModerator,
    CreateModerator,
    LinkMade,
    ListModerators,
    ModeratorList,
    ModeratorMade,
    ModeratorView,
    SignOutEverywhere,
)
from service.clock import parse_id
from service.errors import Invalid, NotAllowed, NotFound
from service.http.answers import answer, created, no_content
from service.http.cursors import Position, make_cursor, read_cursor
from service.http.docs import Doc
from service.http.faults import Faults
from service.http.reading import AppRequest, read_command, read_query
from service.privacy.addresses import check_address
from service.services import Services

GUARDED = [require_moderator]


def find_named(caller: Caller, moderator: str) -> UUID:
    """Give the id of an account in a path; raises NotFound for who may not know of it, or NotAllowed."""
    moderator_id = parse_id(moderator)
    if moderator_id is None or not caller.is_admin:
        raise NotFound
    caller.require_admin()
    return moderator_id


async def _show(services: Services, moderator_id: UUID) -> ModeratorView:
    async with services.reading() as session:
        found = await read_moderators(session, only=moderator_id)
    if not found:
        raise NotFound
    return found[0]


@get(
    "/v1/moderators",
    guards=GUARDED,
    opt=Doc(
        tag="Moderators",
        query=ListModerators,
        answers={200: ModeratorList},
        problems=(NotAllowed, Invalid),
    ).as_opt(),
)
async def list_moderators(
    request: AppRequest, services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """List the accounts of the installation, the oldest first; for admins."""
    caller.require_admin()
    with Faults() as faults:
        wanted = read_query(request, ListModerators, faults)
        after = read_cursor(wanted.cursor, "moderators", faults)
    async with services.reading() as session:
        # One more than asked for tells whether there is a next page.
        found = await read_moderators(
            session, after=after.id if after else None, limit=wanted.limit + 1
        )
    page = found[: wanted.limit]
    more = len(found) > len(page)
    return answer(
        ModeratorList(
            page, make_cursor(Position("moderators", UUID(page[-1].id))) if more else None
        )
    )


@post(
    "/v1/moderators",
    guards=GUARDED,
    opt=Doc(
        tag="Moderators",
        body=CreateModerator,
        answers={201: ModeratorMade},
        problems=(NotAllowed, AccountExists, Invalid),
    ).as_opt(),
)
async def create_moderator(
    request: AppRequest, services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """Make an account without a role, and a one-time link for its owner; for admins."""
    caller.require_admin()
    command = await read_command(request, CreateModerator)
    moderator_id, link = await operations.create_account(
        services, check_address(command.email), command, caller.moderator_id
    )
    made = ModeratorMade(await _show(services, moderator_id), LinkMade(link.url, link.expires_at))
    return created(made, f"/v1/moderators/{moderator_id}")


@get(
    "/v1/moderators/{moderator:str}",
    guards=GUARDED,
    opt=Doc(
        tag="Moderators", answers={200: ModeratorView}, problems=(NotAllowed, NotFound)
    ).as_opt(),
)
async def show_moderator(
    moderator: FromPath[str], services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """Show one account with its roles; for admins."""
    return answer(await _show(services, find_named(caller, moderator)))


@patch(
    "/v1/moderators/{moderator:str}",
    guards=GUARDED,
    opt=Doc(
        tag="Moderators",
        body=ChangeModerator,
        answers={200: ModeratorView},
        problems=(NotAllowed, NotFound, LastOwner, LastAdmin, Invalid),
    ).as_opt(),
)
async def change_moderator(
    request: AppRequest,
    moderator: FromPath[str],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """Disable an account, enable it again, or make it an admin's or not; for admins.

    Sessions, links, tokens and claims of who is disabled end at once; roles and password wait.
    """
    moderator_id = find_named(caller, moderator)
    command = await read_command(request, ChangeModerator)
    await operations.change_account(services, moderator_id, command, caller.moderator_id)
    return answer(await _show(services, moderator_id))


@delete(
    "/v1/moderators/{moderator:str}",
    guards=GUARDED,
    status_code=200,
    opt=Doc(
        tag="Moderators",
        answers={204: None},
        problems=(NotAllowed, NotFound, LastOwner, LastAdmin),
    ).as_opt(),
)
async def remove_moderator(
    moderator: FromPath[str], services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """Remove an account for good, with its address and roles; the log keeps id and name; for admins."""
    moderator_id = find_named(caller, moderator)
    await operations.remove_account(services, moderator_id, caller.moderator_id)
    return no_content()


@post(
    "/v1/moderators/{moderator:str}/sign-out",
    guards=GUARDED,
    status_code=200,
    opt=Doc(
        tag="Moderators",
        body=SignOutEverywhere,
        answers={204: None},
        problems=(NotAllowed, NotFound, Invalid),
    ).as_opt(),
)
async def sign_out_moderator(
    request: AppRequest,
    moderator: FromPath[str],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """End every session and open link of an account, and its tokens if asked; for admins."""
    moderator_id = find_named(caller, moderator)
    command = await read_command(request, SignOutEverywhere)
    await operations.sign_out_everywhere(
        services, moderator_id, tokens=command.tokens, actor_id=caller.moderator_id
    )
    return no_content()


@post(
    "/v1/moderators/{moderator:str}/link",
    guards=GUARDED,
    status_code=200,
    opt=Doc(
        tag="Moderators",
        answers={200: LinkMade},
        problems=(NotAllowed, NotFound, AccountDisabled),
    ).as_opt(),
)
async def renew_link(
    moderator: FromPath[str], services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """Give a one-time link to hand to the account's owner, in the place of any before; for admins."""
    moderator_id = find_named(caller, moderator)
    link = await operations.create_link(services, moderator_id, caller)
    return answer(LinkMade(link.url, link.expires_at))


ROUTES = [
    list_moderators,
    create_moderator,
    show_moderator,
    change_moderator,
    remove_moderator,
    sign_out_moderator,
    renew_link,
]
