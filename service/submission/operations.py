"""Taking a submission: the order of work is that of the contract, read from top to bottom."""

from contextlib import nullcontext
from typing import Any, NoReturn

from service.clock import new_id, parse_id
from service.comments.errors import DuplicateComment
from service.comments.receipts import make_receipt_token
from service.comments.search import make_search_apart
from service.comments.texts import check_apart, make_fingerprint, render_apart
from service.concurrency.patience import Patience
from service.concurrency.turns import Turns
from service.database import UNKNOWN
from service.errors import FieldError, IdempotencyKeyReused, Invalid, RateLimited
from service.http.reading import check_idempotency_key
from service.privacy.addresses import suspect_slip
from service.privacy.vault import Keyring
from service.rate_limiting.rules import Verdict
from service.services import Services
from service.sites.directory import KnownSite
from service.sites.kinds import DECOY
from service.submission.limits import FLOOD_RULE, all_rules, ip_rules
from service.submission.queries import Parent, read_is_closed, read_parent
from service.submission.rules import (
    Submission,
    check_submission,
    has_filled_decoy,
    translate_names,
)
from service.submission.schemas import (
    LABELS,
    MAX_EMAIL_CHARS,
    MAX_NAME_CHARS,
    MAX_URL_CHARS,
    Form,
    FormLimits,
    Hint,
    ReceiptLink,
    Submitted,
)
from service.submission.storing import Draft, Key, Stored, SubmissionWriter, read_stored
from service.text.languages import find_language, read_words
from service.text.markup import MARKUP_VERSION

ADDRESS_FLOOD = {
    "code": "address_flood",
    "detail": "This address sent more than ten times its limit from all networks together.",
}
DECOY_FILLED = {
    "code": "decoy_filled",
    "detail": f"The field `{DECOY}` was filled, which the forms of this site keep as a trap.",
}
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
    valid, errors = await check_apart(lambda: check_submission(fields, site), fields.get("text"))
    errors += check_idempotency_key(idempotency_key)
    keyring = await services.keyring()
    parent, closed = await _check_place(services, site, valid)
    if errors:
        await _refuse(services, site, prefix, [*errors, *closed])
    is_decoyed = has_filled_decoy(raw_fields, text_fields)
    submission = Submission(**valid, has_filled_decoy=is_decoyed)
    key = _make_key(keyring, submission, idempotency_key) if idempotency_key else None
    # Who waits for the one before it does so within what it may wait for in all.
    waiting = _turns.take((site.id, key.key_hash)) if key else nullcontext()
    async with Patience(services.settings.database_patience_seconds, UNKNOWN), waiting:
        stored = await _replay(services, site, key, prefix) if key else None
        if stored is None and closed:
            await _refuse(services, site, prefix, closed)
        if stored is None:
            stored = await _charge_and_store(
                services, writer, keyring, site, submission, parent, prefix, key
            )
    services.metrics.submissions.labels("replayed" if stored.replayed else "taken").inc()
    return _answer(services, keyring, submission, stored), stored.replayed


async def _refuse(
    services: Services, site: KnownSite, prefix: str, errors: list[FieldError]
) -> NoReturn:
    await refuse_unreadable(services, site, prefix)
    raise Invalid(errors=errors)


async def refuse_unreadable(services: Services, site: KnownSite, prefix: str) -> None:
    """Charge a submission that cannot be read or is invalid to its IP alone; raises RateLimited."""
    services.metrics.submissions.labels("invalid").inc()
    await services.charge(ip_rules(site, prefix))


async def _check_place(
    services: Services, site: KnownSite, valid: dict[str, Any]
) -> tuple[Parent | None, list[FieldError]]:
    """Check what may change after a submission was taken: whether its place is open.

    So a repeated request is recognised before it is told that its place has closed meanwhile.
    """
    errors: list[FieldError] = []
    article, answered = valid.get("article"), valid.get("parent")
    if article is not None and (refusal := await _refuse_closed(services, site, article)):
        errors.append(refusal)
    parent = await _find_parent(services, site, article, answered) if answered else None
    if answered and parent is None:
        detail = "This is not a visible comment of the same article that may still be answered."
        errors.append(FieldError("parent_invalid", detail, pointer="#/parent"))
    return parent, errors


async def _refuse_closed(services: Services, site: KnownSite, key: str) -> FieldError | None:
    """Say why no comment is taken under an article, by what is known of it for at most a second."""
    is_closed = await services.articles.get(
        (site.id, key), lambda: read_is_closed(services, site.id, key)
    )
    if is_closed is None and site.policy.articles == "listed":
        detail = "The site does not take comments under this article."
    elif site.policy.comments == "closed" or is_closed:
        detail = "Comments are closed."
    else:
        return None
    return FieldError("article_not_allowed", detail, pointer="#/article")


async def _find_parent(
    services: Services, site: KnownSite, article: str | None, answered: str
) -> Parent | None:
    parent_id = parse_id(answered)
    if parent_id is None or article is None:
        return None
    async with services.looking_up() as session:
        return await read_parent(session, site, article, parent_id)


def _make_key(keyring: Keyring, submission: Submission, idempotency_key: str) -> Key:
    fields = [
        submission.article,
        submission.name,
        submission.email.original,
        submission.text,
        submission.url or "",
        submission.parent or "",
    ]
    return Key(
        keyring.mac("idempotency/key", idempotency_key.encode()),
        keyring.mac("idempotency/fields", *(field.encode() for field in fields)),
    )


async def _replay(services: Services, site: KnownSite, key: Key, prefix: str) -> Stored | None:
    try:
        async with services.looking_up() as session:
            connection = await session.connection()
            return await connection.run_sync(read_stored, site.id, key, services.clock())
    except IdempotencyKeyReused:
        await refuse_unreadable(services, site, prefix)
        raise


async def _charge_and_store(
    services: Services,
    writer: SubmissionWriter,
    keyring: Keyring,
    site: KnownSite,
    submission: Submission,
    parent: Parent | None,
    prefix: str,
    key: Key | None,
) -> Stored:
    try:
        verdict = await services.charge(all_rules(site, prefix, submission))
    except RateLimited:
        services.metrics.submissions.labels("limited").inc()
        raise
    html = await render_apart(submission.text)
    comment = _make_comment(services, keyring, site, submission, html, parent, prefix, verdict)
    # Not in the transaction that others share.
    comment["search"] = await make_search_apart(
        submission.name, submission.url, submission.text, html
    )
    address = submission.email
    sealed = keyring.seal_address(comment["id"], site.id, address.original, address.folded)
    try:
        stored = await writer.write(Draft(comment, submission.article, sealed, key))
    except DuplicateComment:
        services.metrics.submissions.labels("duplicate").inc()
        raise
    if stored.replayed:
        # Another process had the same key and was first: this try took nothing.
        await services.limiter.refund(verdict)
    return stored


def _make_comment(
    services: Services,
    keyring: Keyring,
    site: KnownSite,
    submission: Submission,
    html: str,
    parent: Parent | None,
    prefix: str,
    verdict: Verdict,
) -> dict[str, Any]:
    """Build the row; whatever a client may not set has its value from here, or is null."""
    now = services.clock()
    parent_id = parent.id if parent else None
    content = (submission.article, parent_id, submission.name, submission.text)
    day = now.date().isoformat().encode()
    return {
        "id": new_id(),
        "site_id": site.id,
        # The one that the article gets if this is its first comment.
        "article_id": new_id(),
        "parent_id": parent_id,
        "depth": parent.depth + 1 if parent else 0,
        "name": submission.name,
        "url": submission.url,
        "text": submission.text,
        "html": html,
        "markup": MARKUP_VERSION,
        "status": "spam" if submission.has_filled_decoy else "pending",
        "visibility": "hidden",
        "version": 1,
        "edited": False,
        "submitted_at": now,
        "decided_at": now if submission.has_filled_decoy else None,
        "signals": _list_signals(submission, verdict),
        "fingerprint": make_fingerprint(keyring, site.id, *content),
        "client_hash": keyring.mac("client", day, prefix.encode()),
    }


def _list_signals(submission: Submission, verdict: Verdict) -> list[dict[str, str]]:
    flood = [ADDRESS_FLOOD] if FLOOD_RULE in verdict.over else []
    return [*flood, DECOY_FILLED] if submission.has_filled_decoy else flood


def _answer(
    services: Services, keyring: Keyring, submission: Submission, stored: Stored
) -> Submitted:
    token = make_receipt_token(keyring, stored.comment_id)
    return Submitted(
        id=str(stored.comment_id),
        status="pending",
        article=submission.article,
        submitted_at=stored.submitted_at,
        receipt=ReceiptLink(token, f"{services.settings.public_url}/receipts/{token}"),
        hints=_hints(submission),
    )


def _hints(submission: Submission) -> list[Hint]:
    suggestion = suspect_slip(submission.email.folded)
    return [Hint("#/email", "email_typo_suspected", suggestion)] if suggestion else []


async def describe_form(services: Services, site: KnownSite, key: str, lang: str | None) -> Form:
    """Say what a form for an article, by its canonical key, needs."""
    closed = await _refuse_closed(services, site, key)
    limits = FormLimits(MAX_NAME_CHARS, MAX_EMAIL_CHARS, MAX_URL_CHARS, site.policy.max_text_chars)
    words = read_words(find_language(lang or "") or site.policy.language)
    labels = {key: words[key] for key in LABELS}
    return Form(key, closed is None, limits, site.policy.max_depth, labels)
