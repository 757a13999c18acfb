"""What a commenter can do with a receipt: see what became of the comment, and withdraw it."""

from uuid import UUID

import msgspec
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.comments.operations import Moves, Tallies, lock_comments, read_authors
from service.comments.receipts import read_receipt_token
from service.comments.rules import LockedComment, is_legal
from service.comments.tables import Article, Comment
from service.errors import Conflict, NotFound
from service.modlog.entries import make_entry
from service.modlog.operations import append_entries
from service.rate_limiting.rules import Limit, Rule
from service.receipts.rules import has_expired, view_receipt
from service.receipts.schemas import Receipt
from service.services import Services
from service.sites.directory import KnownSite, load_site
from service.sites.tables import Site

# Tokens cannot be guessed; this only keeps a broken script from being a burden.
LIMIT = Limit(burst=60, period_seconds=60)


class AlreadyWithdrawn(Conflict):
    slug = "already-withdrawn"
    title = "The comment was withdrawn already"
    advice = "Nothing: it is not public any more."
    default_detail = "There is nothing left to withdraw."


class Held(msgspec.Struct, frozen=True):
    """A comment that a valid receipt speaks of, with its site and article."""

    comment: Comment
    article: str
    site: KnownSite


async def read_receipt(services: Services, token: str, prefix: str) -> tuple[Receipt, KnownSite]:
    """Show what became of a comment; raises NotFound for a token that is wrong, unknown or expired."""
    await services.charge([Rule("receipt", LIMIT, prefix)])
    async with services.reading() as session:
        held = await _find(services, session, token)
    return view_receipt(held.comment, held.article, held.site.policy), held.site


async def withdraw_comment(services: Services, token: str, prefix: str) -> None:
    """Withdraw a comment for its author; raises NotFound or AlreadyWithdrawn."""
    await services.charge([Rule("receipt", LIMIT, prefix)])
    now = services.clock()
    async with services.writing() as session:
        comment_id = (await _find(services, session, token)).comment.id
        comment = (await lock_comments(session, [comment_id]))[comment_id]
        before = comment.status
        if not is_legal("withdraw", before):
            raise AlreadyWithdrawn
        author = (await read_authors(session, [comment_id])).get(comment_id, b"")
        moves = Moves(now)
        moves.add(comment, "withdrawn", None)
        await moves.write(session)
        tallies = Tallies()
        tallies.count_change(comment, author, before, "withdrawn", "withdraw", now)
        await session.run_sync(lambda sync: tallies.write(sync.connection()))
        await _log(services, session, comment, before)


async def _log(
    services: Services, session: AsyncSession, comment: LockedComment, before: str
) -> None:
    entry = make_entry(
        "withdraw",
        services.clock(),
        None,
        comment_id=comment.id,
        from_status=before,
        to_status="withdrawn",
        version=comment.version,
    )
    await append_entries(session, await services.vault.keyring(session), comment.site_id, [entry])


async def _find(services: Services, session: AsyncSession, token: str) -> Held:
    keyring = await services.vault.keyring(session)
    comment_id: UUID | None = read_receipt_token(keyring, token)
    query = (
        select(Comment, Article.key, Site.slug)
        .join(Article, col(Article.id) == col(Comment.article_id))
        .join(Site, col(Site.id) == col(Comment.site_id))
        .where(Comment.id == comment_id)
    )
    found = (await session.exec(query)).first() if comment_id else None
    if found is None:
        raise NotFound(NO_RECEIPT)
    comment, article, slug = found
    # In this very session: who waits for a second connection while holding one may wait for ever.
    site = await load_site(session, slug)
    if site is None or has_expired(comment, site.policy, services.clock()):
        raise NotFound(NO_RECEIPT)
    return Held(comment, article, site)


NO_RECEIPT = "There is no such receipt, or it has expired."
