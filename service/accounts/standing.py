"""The standing of an account: disabled and enabled again, removed for good, an admin or not.

Whoever is disabled cannot sign in: sessions, links, tokens and claims end, roles and address stay. Of who is
removed only id and name stay, beside what stands in the logs.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, delete, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.credentials import Ended, end_access
from service.accounts.errors import LastAdmin
from service.accounts.links import can_sign_in
from service.accounts.members import give_claims_back, require_other_owners
from service.accounts.rules import Role
from service.accounts.tables import Membership, Moderator
from service.errors import NotFound
from service.privacy.tables import SealedAddress
from service.privacy.vault import NO_SITE
from service.work import Work


async def disable_moderator(work: Work, moderator_id: UUID) -> Ended:
    """Let nobody in by an account until it is enabled again; raises NotFound, LastOwner or LastAdmin."""
    moderator = await _lock_to_leave(work, moderator_id)
    if moderator.disabled_at is None:
        moderator.disabled_at = work.now
        work.session.add(moderator)
        work.log(NO_SITE, "moderator.disabled", moderator_id)
    return await _shut_out(work, moderator_id)


async def enable_moderator(work: Work, moderator_id: UUID) -> None:
    """Let somebody in again who was disabled, by the same password and to the same roles; raises NotFound."""
    moderator = await _lock_with_admins(work.session, moderator_id)
    if moderator.disabled_at is None:
        return
    moderator.disabled_at = None
    work.session.add(moderator)
    work.log(NO_SITE, "moderator.enabled", moderator_id)


async def remove_moderator(work: Work, moderator_id: UUID) -> Ended:
    """Take an account away for good; raises NotFound, LastOwner or LastAdmin.

    Its address leaves the vault and may have an account anew. The log goes on saying who did what.
    """
    moderator = await _lock_to_leave(work, moderator_id)
    moderator.removed_at, moderator.password_hash, moderator.is_admin = work.now, None, False
    work.session.add(moderator)
    work.log(NO_SITE, "moderator.removed", moderator_id)
    for site_id in await _sites_of(work.session, moderator_id):
        work.log(site_id, "member.changed", f"{moderator_id}:none")
    is_theirs = col(Membership.moderator_id) == moderator_id
    await work.session.exec(delete(Membership).where(is_theirs))
    ended = await _shut_out(work, moderator_id)
    await work.session.exec(delete(SealedAddress).where(col(SealedAddress.id) == moderator_id))
    return ended


async def set_admin(work: Work, moderator_id: UUID, is_admin: bool) -> None:
    """Make somebody an admin of the installation, or take that away; raises NotFound or LastAdmin."""
    moderator = await _lock_with_admins(work.session, moderator_id)
    if moderator.is_admin == is_admin:
        return
    if not is_admin:
        await _require_another_admin(work, moderator)
    moderator.is_admin = is_admin
    work.session.add(moderator)
    work.log(NO_SITE, "moderator.changed", f"{moderator_id}:{'admin' if is_admin else 'no-admin'}")


async def _lock_to_leave(work: Work, moderator_id: UUID) -> Moderator:
    """Lock an account without which the installation and its sites can go on."""
    moderator = await _lock_with_admins(work.session, moderator_id)
    await _require_another_admin(work, moderator)
    owned = await _sites_of(work.session, moderator_id, Role.OWNER)
    await require_other_owners(work, moderator_id, owned)
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


async def _require_another_admin(work: Work, moderator: Moderator) -> None:
    """Raise LastAdmin where a locked account is that of the only admin who can sign in."""
    is_another = (col(Moderator.is_admin), Moderator.id != moderator.id)
    query = select(Moderator.id).where(*is_another, can_sign_in(work.now)).limit(1)
    if moderator.is_admin and (await work.session.exec(query)).first() is None:
        raise LastAdmin


async def _sites_of(session: AsyncSession, moderator_id: UUID, role: Role | None = None) -> Sequence[UUID]:
    query = select(Membership.site_id).where(Membership.moderator_id == moderator_id)
    return (await session.exec(query.where(Membership.role == role.word) if role else query)).all()


async def _shut_out(work: Work, moderator_id: UUID) -> Ended:
    ended = await end_access(work, moderator_id, keep_tokens=False)
    await give_claims_back(work.session, moderator_id)
    return ended
