"""Taking a submission: the order of work is that of the contract, read from top to bottom."""

from contextlib import nullcontext
from typing import Any, NoReturn

from service.clock import parse_id
from service.comments.errors import DuplicateComment
from service.comments.receipts import make_receipt_token
from service.comments.search import make_search_apart
from service.concurrency.patience import Patience
from service.concurrency.turns import Turns
from service.database import UNKNOWN
from service.errors import FieldError, Invalid, RateLimited, ServiceError
from service.form.fields import SHOWN, Submission, read_submission, read_text
from service.form.texts import check_apart, render_apart
from service.http.reading import check_idempotency_key
from service.privacy.addresses import suspect_slip
from service.privacy.vault import Keyring
from service.rate_limiting.rules import Limit, Rule
from service.services import Services
from service.sites.directory import KnownSite
from service.submission.drafts import Arrival, make_draft, make_key
from service.submission.limits import all_rules, ip_rules
from service.submission.queries import Parent, read_is_closed, read_parent
from service.submission.schemas import (
    LABELS,
    Form,
    FormLimits,
    Hint,
    Preview,
    ReceiptLink,
    Submitted,
)
from service.submission.storing import Stored, SubmissionWriter, read_stored
from service.text.languages import find_language, read_words
from service.wordpress.names import has_filled_decoy, translate_names

PREVIEWS = Limit(burst=60, period_seconds=60)
_turns = Turns()


async def submit_comment(
    services: Services,
    writer: SubmissionWriter,
    site: KnownSite,
    raw_fields: dict[str, Any],
    *,
    prefix: str,
    idempotency_key: str | None = None,
) -> tuple[Submitted, bool]:
    """Take a submission and hold it; gives the answer, and whether it is a replay.

    `prefix` is that of the client's address. Raises Invalid, IdempotencyKeyReused, RateLimited or
    DuplicateComment.
    """
    text_fields = site.policy.text_field_names
    fields = translate_names(raw_fields, text_fields)
    submission, errors = await check_apart(lambda: read_submission(fields, site), fields.get("text"))
    errors += check_idempotency_key(idempotency_key)
    keyring = await services.keyring()
    parent, closed = await _check_place(services, site, submission)
    if errors:
        await _refuse(services, site, prefix, [*errors, *closed])
    key = make_key(keyring, submission, idempotency_key) if idempotency_key else None
    is_decoyed = has_filled_decoy(raw_fields, text_fields)
    arrival = Arrival(site, submission, parent, prefix, key, is_decoyed)
    # Who waits for the one before it does so within what it may wait for in all.
    waiting = _turns.take((site.id, key.key_hash)) if key else nullcontext()
    async with Patience(services.settings.database_patience_seconds, UNKNOWN), waiting:
        stored = await _replay(services, arrival)
        if stored is None and closed:
            await _refuse(services, site, prefix, closed)
        if stored is None:
            stored = await _charge_and_store(services, writer, keyring, arrival)
    services.metrics.submissions.labels("replayed" if stored.replayed else "taken").inc()
    return _answer(services, keyring, submission, stored), stored.replayed


async def _refuse(services: Services, site: KnownSite, prefix: str, errors: list[FieldError]) -> NoReturn:
    await refuse_unreadable(services, site, prefix)
    raise Invalid(errors=errors)


async def refuse_unreadable(services: Services, site: KnownSite, prefix: str) -> None:
    """Charge a submission that cannot be read or is invalid to its IP alone; raises RateLimited."""
    services.metrics.submissions.labels("invalid").inc()
    await services.charge(ip_rules(site, prefix))


async def _check_place(
    services: Services, site: KnownSite, submission: Submission
) -> tuple[Parent | None, list[FieldError]]:
    """Check what may change after a submission was taken: whether its place is open.

    So a repeated request is recognised before it is told that its place has closed meanwhile.
    """
    errors: list[FieldError] = []
    article: str | None = submission.article
    if article is not None and (refusal := await _refuse_closed(services, site, article)):
        errors.append(refusal)
    if submission.parent is None:
        return None, errors
    parent_id, parent = parse_id(submission.parent), None
    if parent_id and article is not None:
        async with services.looking_up() as session:
            parent = await read_parent(session, site, article, parent_id)
    if parent is None:
        detail = "This is not a visible comment of the same article that may still be answered."
        errors.append(FieldError("parent_invalid", detail, pointer="#/parent"))
    return parent, errors


async def _refuse_closed(services: Services, site: KnownSite, key: str) -> FieldError | None:
    """Say why no comment is taken under an article, by what is known of it for at most a second."""
    is_closed = await services.articles.get((site.id, key), lambda: read_is_closed(services, site.id, key))
    if site.policy.takes_comments(is_closed):
        return None
    is_unlisted = is_closed is None and site.policy.articles == "listed"
    unlisted = "The site does not take comments under this article."
    detail = unlisted if is_unlisted else "Comments are closed."
    return FieldError("article_not_allowed", detail, pointer="#/article")


async def _replay(services: Services, arrival: Arrival) -> Stored | None:
    """Give what the same request stored before, if it came with a key; raises IdempotencyKeyReused."""
    if arrival.key is None:
        return None
    async with services.looking_up() as session:
        known = (arrival.site.id, arrival.key, services.clock())
        outcome = await (await session.connection()).run_sync(read_stored, *known)
    if isinstance(outcome, ServiceError):
        await refuse_unreadable(services, arrival.site, arrival.prefix)
        raise outcome
    return outcome


async def _charge_and_store(
    services: Services, writer: SubmissionWriter, keyring: Keyring, arrival: Arrival
) -> Stored:
    submission = arrival.submission
    try:
        verdict = await services.charge(all_rules(arrival.site, arrival.prefix, submission))
    except RateLimited:
        services.metrics.submissions.labels("limited").inc()
        raise
    html = await render_apart(submission.text)
    # Not in the transaction that others share.
    search = await make_search_apart(submission.name, submission.url, submission.text, html)
    draft = make_draft(keyring, arrival, html, search, verdict, services.clock())
    try:
        stored = await writer.write(draft)
    except DuplicateComment:
        services.metrics.submissions.labels("duplicate").inc()
        raise
    if stored.replayed:
        # Another process had the same key and was first: this try took nothing.
        await services.limiter.refund(verdict)
    return stored


def _answer(services: Services, keyring: Keyring, submission: Submission, stored: Stored) -> Submitted:
    token = make_receipt_token(keyring, stored.comment_id)
    suggestion = suspect_slip(submission.email.folded)
    return Submitted(
        id=str(stored.comment_id),
        status="pending",
        article=submission.article,
        submitted_at=stored.submitted_at,
        receipt=ReceiptLink(token, f"{services.settings.public_url}/receipts/{token}"),
        hints=[Hint("#/email", "email_typo_suspected", suggestion)] if suggestion else [],
    )


async def describe_form(services: Services, site: KnownSite, key: str, lang: str | None) -> Form:
    """Say what a form for an article, by its canonical key, needs."""
    closed = await _refuse_closed(services, site, key)
    limits = {field.name: field.wire.max_length or 0 for field in SHOWN}
    words = read_words(find_language(lang or "") or site.policy.language)
    return Form(
        article=key,
        open=closed is None,
        limits=FormLimits(**{**limits, "text": site.policy.max_text_chars}),
        max_depth=site.policy.max_depth,
        labels={key: words[key] for key in LABELS},
    )


async def charge_preview(services: Services, prefix: str) -> None:
    """Charge a preview to the network that asks for it; raises RateLimited."""
    await services.charge([Rule("preview", PREVIEWS, prefix)])


async def preview_text(services: Services, site: KnownSite, raw: object, prefix: str) -> Preview:
    """Render a text under the bounds of a submission; stores nothing. Raises RateLimited or Invalid."""
    await charge_preview(services, prefix)
    return Preview(await render_apart(await read_text(raw, site)))
