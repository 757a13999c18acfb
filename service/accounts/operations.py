"""What admins of the installation, and whoever types on its machine, do about accounts."""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET

from service.accounts import standing
from service.accounts.credentials import Ended, end_access, lock_moderator, set_password
from service.accounts.guards import require_still_in
from service.accounts.links import LINK_LIFETIME, make_link
from service.accounts.members import create_moderator
from service.accounts.rules import Caller
from service.accounts.schemas import ChangeModerator, CreateModerator
from service.privacy.addresses import Address
from service.privacy.vault import NO_SITE
from service.services import Services


class NewLink(msgspec.Struct, frozen=True):
    """A one-time link to sign in by, and when it ends."""

    url: str
    expires_at: datetime


async def create_account(
    services: Services, address: Address, command: CreateModerator, actor_id: UUID | None
) -> tuple[UUID, NewLink]:
    """Make an account without a password, and a link to it; raises AccountExists."""
    async with services.changing(actor_id) as work:
        moderator = await create_moderator(work, address, name=command.name, is_admin=command.admin)
        # The link refers to the account by a foreign key that the session does not know of.
        await work.session.flush()
        token = await make_link(work, moderator.id)
    return moderator.id, _link(services, token, work.now)


async def create_link(services: Services, moderator_id: UUID, caller: Caller) -> NewLink:
    """Make a one-time link, which ends the ones before; raises NotFound or AccountDisabled."""
    async with services.changing(caller.moderator_id) as work:
        if moderator_id == caller.moderator_id:
            await require_still_in(work.session, caller)
        token = await make_link(work, moderator_id)
    return _link(services, token, work.now)


def _link(services: Services, token: str, now: datetime) -> NewLink:
    return NewLink(f"{services.settings.public_url}/sign-in/{token}", now + LINK_LIFETIME)


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
