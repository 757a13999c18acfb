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
from service.modlog.chains import Entries
from service.modlog.entries import make_entry
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
    now = services.clock()
    async with services.writing() as session:
        keyring = await services.vault.keyring(session)
        moderator = await create_moderator(
            session,
            keyring,
            address,
            name=command.name,
            now=now,
            is_admin=command.admin,
            actor_id=actor_id,
        )
        # The link refers to the account by a foreign key that the session does not know of.
        await session.flush()
        token = await make_link(session, keyring, moderator.id, actor_id=actor_id, now=now)
    return moderator.id, _link(services, token, now)


async def create_link(services: Services, moderator_id: UUID, caller: Caller) -> NewLink:
    """Make a one-time link, which ends the ones before; raises NotFound or AccountDisabled."""
    now, actor = services.clock(), caller.moderator_id
    async with services.writing() as session:
        if moderator_id == actor:
            await require_still_in(session, caller)
        keyring = await services.vault.keyring(session)
        token = await make_link(session, keyring, moderator_id, actor_id=actor, now=now)
    return _link(services, token, now)


def _link(services: Services, token: str, now: datetime) -> NewLink:
    return NewLink(f"{services.settings.public_url}/sign-in/{token}", now + LINK_LIFETIME)


async def change_account(
    services: Services, moderator_id: UUID, command: ChangeModerator, actor_id: UUID | None
) -> Ended:
    """Do all that the command names, or nothing; raises NotFound, LastOwner or LastAdmin."""
    now, entries, ended = services.clock(), Entries(), Ended(0, 0, 0)
    async with services.writing() as session:
        keyring = await services.vault.keyring(session)
        if command.admin is not UNSET:
            await standing.set_admin(
                session, moderator_id, command.admin, entries, actor_id=actor_id, now=now
            )
        if command.state == "active":
            await standing.enable_moderator(
                session, moderator_id, entries, actor_id=actor_id, now=now
            )
        if command.state == "disabled":
            ended = await standing.disable_moderator(
                session, moderator_id, entries, actor_id=actor_id, now=now
            )
        await entries.append(session, keyring)
    return ended


async def remove_account(services: Services, moderator_id: UUID, actor_id: UUID | None) -> Ended:
    """Remove an account for good; raises NotFound, LastOwner or LastAdmin."""
    now, entries = services.clock(), Entries()
    async with services.writing() as session:
        keyring = await services.vault.keyring(session)
        ended = await standing.remove_moderator(
            session, moderator_id, entries, actor_id=actor_id, now=now
        )
        await entries.append(session, keyring)
    return ended


async def sign_out_everywhere(
    services: Services, moderator_id: UUID, *, tokens: bool, actor_id: UUID | None
) -> Ended:
    """End every session and open link of an account, and with `tokens` its tokens; raises NotFound."""
    now, entries = services.clock(), Entries()
    async with services.writing() as session:
        keyring = await services.vault.keyring(session)
        await lock_moderator(session, moderator_id)
        entry = make_entry("moderator.signed_out", now, actor_id, subject=str(moderator_id))
        entries.add(NO_SITE, entry)
        ended = await end_access(
            session, moderator_id, entries, keep_tokens=not tokens, actor_id=actor_id, now=now
        )
        await entries.append(session, keyring)
    return ended


async def change_password(
    services: Services, moderator_id: UUID, password: str, *, keep_tokens: bool
) -> Ended:
    """Set a password from the machine itself, which ends whatever came before it; raises NotFound."""
    hashed, now, entries = await services.passwords.hash(password), services.clock(), Entries()
    async with services.writing() as session:
        keyring = await services.vault.keyring(session)
        moderator = await lock_moderator(session, moderator_id)
        ended = await set_password(
            session, moderator, hashed, entries, keep_tokens=keep_tokens, actor_id=None, now=now
        )
        await entries.append(session, keyring)
    return ended
