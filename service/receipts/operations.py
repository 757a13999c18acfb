"""What a commenter can do with a receipt: see what became of the comment, correct it, and withdraw it."""

import math
from datetime import timedelta
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.comments.changing import edit_text, lock_comments, move_comment
from service.comments.edits import NewText
from service.comments.receipts import read_receipt_token
from service.comments.rules import is_legal
from service.comments.search import make_search_apart
from service.comments.tables import Article, Comment, ProposedEdit
from service.errors import NotFound
from service.form.texts import render_apart
from service.modlog.tables import LogEntry
from service.rate_limiting.rules import Limit, Refusal, Rule
from service.receipts.errors import AlreadyWithdrawn
from service.receipts.rules import Held
from service.receipts.schemas import Receipt
from service.services import Services
from service.sites.directory import load_site
from service.sites.tables import Site
from service.work import Work

NO_RECEIPT = "There is no such receipt, or it has expired."
# Tokens cannot be guessed; this only keeps a broken script from being a burden.
LIMIT = Limit(burst=60, period_seconds=60)
# An author who edits all the time keeps moderators from deciding about what they have read.
EDITS = Limit(burst=10, period_seconds=3_600)


async def find_receipt(services: Services, token: str, prefix: str) -> Held:
    """Give what a token is the receipt of; raises NotFound for one that is wrong, unknown or expired.

    Each try is charged, before it is known whether the token is right.
    """
    await charge_use(services, prefix)
    async with services.looking_up() as session:
        return await _find(services, session, token)


async def find_to_change(services: Services, token: str, prefix: str) -> Held:
    """Give what a token is the receipt of, whose use is charged apart; another is charged here, and NotFound.

    No database is asked about a token that we did not make.
    """
    try:
        async with services.looking_up() as session:
            return await _find(services, session, token)
    except NotFound:
        await charge_use(services, prefix)
        raise


async def charge_use(services: Services, prefix: str) -> None:
    """Charge the use of a receipt; raises RateLimited."""
    await services.charge([Rule("receipt", LIMIT, prefix)])


async def read_receipt(services: Services, token: str, prefix: str) -> Receipt:
    """Show what became of a comment; raises NotFound for a token that is wrong, unknown or expired."""
    held = await find_receipt(services, token, prefix)
    return held.view(services.clock())


async def edit_comment(services: Services, held: Held, text: str) -> Receipt:
    """Correct the text of a comment for its author, who has found it by its receipt.

    Raises Conflict where the status does not allow it, EditWindowClosed, RateLimited or DuplicateComment.
    """
    # Nobody waits for a lock meanwhile.
    html = await render_apart(text)
    search = await make_search_apart(held.comment.name, held.comment.url, text, html)
    new = NewText(text, html, search)
    comment_id = held.comment.id
    async with services.changing(None) as work:
        locked = (await work.run(lock_comments, [comment_id]))[comment_id]
        # As it is now that nobody else can change it.
        comment = await work.session.get_one(Comment, comment_id)
        held = Held(comment, None, held.article, held.site)
        held.require_editable(work.now)
        await _require_few_edits(services, work, comment_id)
        await work.run(edit_text, locked, comment, held.article, new)
    return held.view(work.now, text if comment.status == "approved" else None)


async def _require_few_edits(services: Services, work: Work, comment_id: UUID) -> None:
    """Raise RateLimited for one more correction than a locked comment takes, by what the log has of it.

    So it is exact whatever becomes of Redis and of processes.
    """
    is_edit = (col(LogEntry.comment_id) == comment_id, col(LogEntry.action) == "edit")
    newest = select(LogEntry.at).where(*is_edit).order_by(col(LogEntry.at).desc())
    times = (await work.session.exec(newest.limit(EDITS.burst))).all()
    if len(times) == EDITS.burst:
        again = times[-1] + timedelta(seconds=EDITS.period_seconds)
        if (seconds := math.ceil((again - work.now).total_seconds())) > 0:
            services.refuse(Refusal("edit", EDITS, seconds))


async def withdraw_comment(services: Services, token: str, prefix: str) -> None:
    """Withdraw a comment for its author; raises NotFound or AlreadyWithdrawn."""
    await charge_use(services, prefix)
    async with services.changing(None) as work:
        comment_id = (await _find(services, work.session, token)).comment.id
        comment = (await work.run(lock_comments, [comment_id]))[comment_id]
        if not is_legal("withdraw", comment.status):
            raise AlreadyWithdrawn
        await work.run(move_comment, comment, "withdraw", "withdrawn")


async def _find(services: Services, session: AsyncSession, token: str) -> Held:
    keyring = await services.vault.keyring(session)
    comment_id: UUID | None = read_receipt_token(keyring, token)
    query = (
        select(Comment, ProposedEdit, Article.key, Site.slug)
        .join(Article, col(Article.id) == col(Comment.article_id))
        .join(Site, col(Site.id) == col(Comment.site_id))
        .join(ProposedEdit, col(ProposedEdit.comment_id) == col(Comment.id), isouter=True)
        .where(Comment.id == comment_id)
    )
    found = (await session.exec(query)).first() if comment_id else None
    if found is None:
        raise NotFound(NO_RECEIPT)
    comment, edit, article, slug = found
    # In this very session: who waits for a second connection while holding one may wait for ever.
    site = await load_site(session, slug)
    held = Held(comment, edit, article, site) if site else None
    if held is None or held.has_expired(services.clock()):
        raise NotFound(NO_RECEIPT)
    return held
