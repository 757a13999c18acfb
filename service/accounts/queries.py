"""Looking up moderators, what lets them in, and the members of sites."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, func
from sqlalchemy import select as select_columns
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.rules import Role, parse_role
from service.accounts.schemas import HeldOnSite, Member, ModeratorRef, ModeratorView, TokenView
from service.accounts.tables import BearerToken, Membership, Moderator, SignInSession
from service.privacy.addresses import Address
from service.privacy.tables import SealedAddress
from service.privacy.vault import Keyring
from service.sites.tables import Site


def _find_holder(credential: Any, *columns: Any) -> Select[Any]:
    """Look up a credential with whose it is: a row for each role, or one where there is none.

    Of an account that is disabled or removed there is no row.
    """
    return (
        select_columns(
            *columns,
            credential.last_used_at,
            col(Moderator.id).label("moderator_id"),
            col(Moderator.name),
            col(Moderator.is_admin),
            col(Membership.site_id).label("member_of"),
            col(Membership.role).label("held_role"),
        )
        .join_from(credential, Moderator, col(Moderator.id) == credential.moderator_id)
        .outerjoin(Membership, col(Membership.moderator_id) == col(Moderator.id))
        .where(
            credential.token_hash == bindparam("token_hash"),
            col(Moderator.disabled_at).is_(None),
            col(Moderator.removed_at).is_(None),
        )
    )


BY_TOKEN = _find_holder(
    BearerToken, col(BearerToken.id), col(BearerToken.site_id), col(BearerToken.role)
).where(col(BearerToken.revoked_at).is_(None))
BY_SESSION = _find_holder(SignInSession, col(SignInSession.created_at))


async def read_holder(session: AsyncSession, query: Select[Any], token_hash: bytes) -> Sequence[Row[Any]]:
    """Read whose a credential is, by one of the two queries above."""
    connection = await session.connection()
    found = await connection.execute(query, {"token_hash": token_hash})
    rows: Sequence[Row[Any]] = found.all()
    return rows


async def find_moderator(session: AsyncSession, keyring: Keyring, address: Address) -> Moderator | None:
    """Give the moderator with this address, looked up by its keyed index."""
    query = select(Moderator).join(SealedAddress, col(SealedAddress.id) == col(Moderator.id))
    indexes = keyring.author_indexes(None, address.folded)
    chosen = query.where(col(SealedAddress.site_id).is_(None), col(SealedAddress.author_index).in_(indexes))
    return (await session.exec(chosen)).first()


async def read_moderators(
    session: AsyncSession,
    *,
    only: UUID | None = None,
    after: UUID | None = None,
    limit: int | None = None,
) -> list[ModeratorView]:
    """Read accounts that are not removed, the oldest first, with their roles by site."""
    query = select(Moderator).where(col(Moderator.removed_at).is_(None))
    if only:
        query = query.where(Moderator.id == only)
    if after:
        query = query.where(col(Moderator.id) > after)
    found = (await session.exec(query.order_by(col(Moderator.id)).limit(limit))).all()
    roles = await _read_held(session, [one.id for one in found])
    return [view_moderator(one, roles.get(one.id, [])) for one in found]


async def _read_held(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, list[HeldOnSite]]:
    query = (
        select(Membership.moderator_id, Site.slug, Membership.role)
        .join(Site, col(Site.id) == col(Membership.site_id))
        .where(col(Membership.moderator_id).in_(ids))
        .order_by(col(Site.slug))
    )
    held: dict[UUID, list[HeldOnSite]] = {}
    for moderator_id, slug, role in await session.exec(query):
        held.setdefault(moderator_id, []).append(HeldOnSite(slug, role))
    return held


def view_moderator(moderator: Moderator, roles: list[HeldOnSite]) -> ModeratorView:
    """Give an account as admins see it."""
    return ModeratorView(
        str(moderator.id),
        moderator.name,
        "active" if moderator.disabled_at is None else "disabled",
        moderator.is_admin,
        moderator.password_hash is not None,
        roles,
        moderator.created_at,
    )


async def read_roles(session: AsyncSession, moderator_id: UUID) -> dict[UUID, Role]:
    """Read the roles of a moderator by the ids of their sites."""
    query = select(Membership.site_id, Membership.role)
    rows = await session.exec(query.where(Membership.moderator_id == moderator_id))
    return {site_id: parse_role(role) for site_id, role in rows}


async def read_members(session: AsyncSession, site_id: UUID, only: UUID | None = None) -> list[Member]:
    """Read the moderators of a site, by name, or `only` one of them."""
    query = (
        select(Membership, Moderator.name)
        .join(Moderator, col(Moderator.id) == col(Membership.moderator_id))
        .where(Membership.site_id == site_id)
        .order_by(func.lower(Moderator.name), col(Moderator.id))
    )
    if only:
        query = query.where(Membership.moderator_id == only)
    return [
        Member(ModeratorRef(str(row.moderator_id), name), row.role, row.created_at)
        for row, name in await session.exec(query)
    ]


async def read_tokens(
    session: AsyncSession, *, of: UUID | None = None, only: UUID | None = None
) -> Sequence[tuple[BearerToken, str, str | None]]:
    """Read the tokens that are not revoked, the oldest first, each with its moderator's name and its site.

    All there are, or those `of` a moderator, or `only` one.
    """
    query = (
        select(BearerToken, Moderator.name, Site.slug)
        .join(Moderator, col(Moderator.id) == col(BearerToken.moderator_id))
        .join(Site, col(Site.id) == col(BearerToken.site_id), isouter=True)
        .where(col(BearerToken.revoked_at).is_(None))
        .order_by(col(BearerToken.id))
    )
    if of:
        query = query.where(BearerToken.moderator_id == of)
    if only:
        query = query.where(BearerToken.id == only)
    return (await session.exec(query)).all()


async def read_addresses(session: AsyncSession, keyring: Keyring, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Give the addresses of moderators by their ids; whoever shows them writes that into the log."""
    query = select(SealedAddress).where(col(SealedAddress.site_id).is_(None))
    found = (await session.exec(query.where(col(SealedAddress.id).in_(ids)))).all()
    return {row.id: keyring.open_address(row) for row in found}


def view_token(token: BearerToken, slug: str | None) -> TokenView:
    """Give a token as its owner sees it later."""
    return TokenView(str(token.id), token.name, slug, token.role, token.created_at, token.last_used_at)
