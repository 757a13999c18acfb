"""Looking up moderators and their tokens."""

from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.schemas import TokenView
from service.accounts.tables import BearerToken, Moderator
from service.privacy.addresses import Address
from service.privacy.tables import SealedAddress
from service.privacy.vault import Keyring
from service.sites.tables import Site


async def find_moderator(
    session: AsyncSession, keyring: Keyring, address: Address
) -> Moderator | None:
    """Give the moderator with this address, looked up by its keyed index."""
    query = select(Moderator).join(SealedAddress, col(SealedAddress.id) == col(Moderator.id))
    indexes = keyring.author_indexes(None, address.folded)
    chosen = query.where(
        col(SealedAddress.site_id).is_(None), col(SealedAddress.author_index).in_(indexes)
    )
    return (await session.exec(chosen)).first()


async def read_tokens(session: AsyncSession, moderator_id: UUID) -> list[TokenView]:
    """Read the tokens of a moderator that are not revoked, the oldest first."""
    query = (
        select(BearerToken, Site.slug)
        .join(Site, col(Site.id) == col(BearerToken.site_id), isouter=True)
        .where(BearerToken.moderator_id == moderator_id, col(BearerToken.revoked_at).is_(None))
        .order_by(col(BearerToken.id))
    )
    return [view_token(token, slug) for token, slug in await session.exec(query)]


def view_token(token: BearerToken, slug: str | None) -> TokenView:
    """Give a token as its owner sees it later."""
    return TokenView(
        str(token.id), token.name, slug, token.role, token.created_at, token.last_used_at
    )
