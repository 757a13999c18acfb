"""What moderators do about their own accounts, and admins and whoever types on the machine about all."""

from datetime import datetime
from uuid import UUID

from msgspec import UNSET

from service.accounts import standing
from service.accounts.credentials import (
    Ended,
    create_bearer_token,
    end_access,
    lock_moderator,
    set_password,
)
from service.accounts.guards import require_still_in
from service.accounts.links import LINK_LIFETIME, make_link
from service.accounts.members import create_moderator
from service.accounts.rules import Caller, Role
from service.accounts.schemas import ChangeModerator, CreateModerator, LinkMade
from service.accounts.tables import BearerToken
from service.errors import NotAllowed
from service.privacy.addresses import check_address
from service.privacy.vault import NO_SITE
from service.services import Services


async def create_account(
    services: Services, command: CreateModerator, actor_id: UUID
) -> tuple[UUID, LinkMade]:
    """Make an account without a password, and a link to it; raises AccountExists."""
    address = check_address(command.email)
    async with services.changing(actor_id) as work:
        moderator = await create_moderator(work, address, name=command.name, is_admin=command.admin)
        # The link refers to the account by a foreign key that the session does not know of.
        await work.session.flush()
        token = await make_link(work, moderator.id)
    return moderator.id, _link(services, token, work.now)


async def create_link(services: Services, moderator_id: UUID, caller: Caller) -> LinkMade:
    """Make a one-time link, which ends the ones before; raises NotFound or AccountDisabled."""
    async with services.changing(caller.moderator_id) as work:
        if moderator_id == caller.moderator_id:
            await require_still_in(work.session, caller)
        token = await make_link(work, moderator_id)
    return _link(services, token, work.now)


def _link(services: Services, token: str, now: datetime) -> LinkMade:
    return LinkMade(f"{services.settings.public_url}/sign-in/{token}", now + LINK_LIFETIME)


async def create_token(
    services: Services, caller: Caller, name: str, site_id: UUID | None, role: Role | None
) -> tuple[BearerToken, str]:
    """Make a bearer token for the caller, and give its text too.

    Raises NotFound, or NotAllowed where it would reach less than it says.
    """
    if site_id:
        caller.require(site_id, role or Role.VIEWER)
    if why := caller.opens_nothing(site_id, role):
        raise NotAllowed(f"No token was made: {why}.")
    async with services.changing(caller.moderator_id) as work:
        await require_still_in(work.session, caller)
        return await create_bearer_token(work, caller.moderator_id, name=name, site_id=site_id, role=role)


async def change_account(
    services: Services, moderator_id: UUID, command: ChangeModerator, actor_id: UUID | None
) -> Ended:
    """Do all that the command names, or nothing; raises NotFound, LastOwner or LastAdmin."""
    ended = Ended(0, 0, 0)
    async with services.changing(actor_id) as work:
        if command.admin is not UNSET:
            await standing.set_admin(work, moderator_id, command.admin)
        if command.state == "active":
            await standing.enable_moderator(work, moderator_id)
        if command.state == "disabled":
            ended = await standing.disable_moderator(work, moderator_id)
    return ended


async def remove_account(services: Services, moderator_id: UUID, actor_id: UUID | None) -> Ended:
    """Remove an account for good; raises NotFound, LastOwner or LastAdmin."""
    async with services.changing(actor_id) as work:
        return await standing.remove_moderator(work, moderator_id)


async def sign_out_everywhere(
    services: Services, moderator_id: UUID, *, tokens: bool, actor_id: UUID | None
) -> Ended:
    """End every session and open link of an account, and with `tokens` its tokens; raises NotFound."""
    async with services.changing(actor_id) as work:
        await lock_moderator(work.session, moderator_id)
        work.log(NO_SITE, "moderator.signed_out", moderator_id)
        return await end_access(work, moderator_id, keep_tokens=not tokens)


async def change_password(
    services: Services, moderator_id: UUID, password: str, *, keep_tokens: bool
) -> Ended:
    """Set a password from the machine itself, which ends whatever came before it; raises NotFound."""
    hashed = await services.passwords.hash(password)
    async with services.changing(None) as work:
        moderator = await lock_moderator(work.session, moderator_id)
        return await set_password(work, moderator, hashed, keep_tokens=keep_tokens)
