"""The standing of an account: disabled and enabled again, removed for good, an admin or not.

Whoever is disabled cannot sign in: sessions, links, tokens and claims end, roles and address stay. Of who is
removed only id and name stay, beside what stands in the logs.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import col, delete, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.claims import give_claims_back
from service.accounts.credentials import Ended, end_access
from service.accounts.errors import LastAdmin
from service.accounts.links import can_sign_in
from service.accounts.members import require_other_owners
from service.accounts.rules import Role
from service.accounts.tables import Membership, Moderator
from service.errors import NotFound
from service.modlog.chains import Entries
from service.modlog.entries import make_entry
from service.privacy.tables import SealedAddress
from service.privacy.vault import NO_SITE


async def disable_moderator(
    session: AsyncSession,
    moderator_id: UUID,
    entries: Entries,
    *,
    actor_id: UUID | None,
    now: datetime,
) -> Ended:
    """Let nobody in by an account until it is enabled again; raises NotFound, LastOwner or LastAdmin."""
    moderator = await _lock_to_leave(session, moderator_id, now)
    if moderator.disabled_at is None:
        moderator.disabled_at = now
        session.add(moderator)
        entry = make_entry("moderator.disabled", now, actor_id, subject=str(moderator_id))
        entries.add(NO_SITE, entry)
    return await _shut_out(session, moderator_id, entries, actor_id, now)


async def enable_moderator(
    session: AsyncSession,
    moderator_id: UUID,
    entries: Entries,
    *,
    actor_id: UUID | None,
    now: datetime,
) -> None:
    """Let somebody in again who was disabled, by the same password and to the same roles; raises NotFound."""
    moderator = await _lock_with_admins(session, moderator_id)
    if moderator.disabled_at is None:
        return
    moderator.disabled_at = None
    session.add(moderator)
    entry = make_entry("moderator.enabled", now, actor_id, subject=str(moderator_id))
    entries.add(NO_SITE, entry)


async def remove_moderator(
    session: AsyncSession,
    moderator_id: UUID,
    entries: Entries,
    *,
    actor_id: UUID | None,
    now: datetime,
) -> Ended:
    """Take an account away for good; raises NotFound, LastOwner or LastAdmin.

    Its address leaves the vault and may have an account anew. The log goes on saying who did what.
    """
    moderator = await _lock_to_leave(session, moderator_id, now)
    moderator.removed_at, moderator.password_hash, moderator.is_admin = now, None, False
    session.add(moderator)
    entry = make_entry("moderator.removed", now, actor_id, subject=str(moderator_id))
    entries.add(NO_SITE, entry)
    for site_id in await _sites_of(session, moderator_id):
        subject = f"{moderator_id}:none"
        entries.add(site_id, make_entry("member.changed", now, actor_id, subject=subject))
    await session.exec(delete(Membership).where(col(Membership.moderator_id) == moderator_id))
    ended = await _shut_out(session, moderator_id, entries, actor_id, now)
    await session.exec(delete(SealedAddress).where(col(SealedAddress.id) == moderator_id))
    return ended


async def set_admin(
    session: AsyncSession,
    moderator_id: UUID,
    is_admin: bool,
    entries: Entries,
    *,
    actor_id: UUID | None,
    now: datetime,
) -> None:
    """Make somebody an admin of the installation, or take that away; raises NotFound or LastAdmin."""
    moderator = await _lock_with_admins(session, moderator_id)
    if moderator.is_admin == is_admin:
        return
    if not is_admin:
        await _require_another_admin(session, moderator, now)
    moderator.is_admin = is_admin
    session.add(moderator)
    subject = f"{moderator_id}:{'admin' if is_admin else 'no-admin'}"
    entries.add(NO_SITE, make_entry("moderator.changed", now, actor_id, subject=subject))


async def _lock_to_leave(session: AsyncSession, moderator_id: UUID, now: datetime) -> Moderator:
    """Lock an account without which the installation and its sites can go on."""
    moderator = await _lock_with_admins(session, moderator_id)
    await _require_another_admin(session, moderator, now)
    owned = await _sites_of(session, moderator_id, Role.OWNER)
    await require_other_owners(session, moderator_id, owned, now)
    return moderator


async def _lock_with_admins(session: AsyncSession, moderator_id: UUID) -> Moderator:
    """Lock an account together with those of all admins, in one order; raises NotFound."""
    chosen = or_(col(Moderator.id) == moderator_id, col(Moderator.is_admin))
    query = select(Moderator).where(chosen).order_by(col(Moderator.id))
    locked = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    rows = (await session.exec(locked)).all()
    found = next((one for one in rows if one.id == moderator_id), None)
    if found is None or found.removed_at is not None:
        raise NotFound
    return found


async def _require_another_admin(
    session: AsyncSession, moderator: Moderator, now: datetime
) -> None:
    """Raise LastAdmin where a locked account is that of the only admin who can sign in."""
    is_another = (col(Moderator.is_admin), Moderator.id != moderator.id)
    query = select(Moderator.id).where(*is_another, can_sign_in(now)).limit(1)
    if moderator.is_admin and (await session.exec(query)).first() is None:
        raise LastAdmin


async def _sites_of(
    session: AsyncSession, moderator_id: UUID, role: Role | None = None
) -> Sequence[UUID]:
    query = select(Membership.site_id).where(Membership.moderator_id == moderator_id)
    return (await session.exec(query.where(Membership.role == role.word) if role else query)).all()


async def _shut_out(
    session: AsyncSession,
    moderator_id: UUID,
    entries: Entries,
    actor_id: UUID | None,
    now: datetime,
) -> Ended:
    ended = await end_access(
        session, moderator_id, entries, keep_tokens=False, actor_id=actor_id, now=now
    )
    await give_claims_back(session, moderator_id)
    return ended
