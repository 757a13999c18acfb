"""The routes of moderation."""

from typing import Any

from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from service.accounts.guards import require_moderator
from service.accounts.rules import Caller
from service.errors import Gone, IdempotencyKeyReused, Invalid, NotAllowed, NotFound, RateLimited
from service.http.answers import answer, no_content
from service.http.cursors import read_cursor
from service.http.docs import IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED, Doc
from service.http.faults import Faults
from service.http.reading import (
    REPLAYED,
    AppRequest,
    read_command,
    read_idempotency_key,
    read_query,
)
from service.moderation import operations
from service.moderation.claims import TooManyClaims
from service.moderation.claims import claim_comments as claim
from service.moderation.claims import release_claims as release
from service.moderation.claims import renew_claims as renew
from service.moderation.decisions import decide_comments as decide
from service.moderation.decisions import undo_decisions as undo
from service.moderation.schemas import (
    ClaimComments,
    Claimed,
    CommentDetail,
    DecideComments,
    ListLog,
    ListQueue,
    LogPage,
    Queue,
    RenewClaims,
    Results,
    RevealedEmail,
    RevealEmail,
    ShowStats,
    Stats,
    UndoDecisions,
)
from service.services import Services

GUARDED = [require_moderator]


@get(
    "/v1/moderation/comments",
    guards=GUARDED,
    opt=Doc(
        tag="Moderation", query=ListQueue, answers={200: Queue}, problems=(NotFound, Invalid)
    ).as_opt(),
)
async def list_queue(
    request: AppRequest, services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """List comments by status: those that wait, unless another is asked for."""
    faults = Faults()
    wanted = read_query(request, ListQueue, faults)
    return answer(await operations.list_queue(services, caller, wanted, faults))


@get(
    "/v1/moderation/comments/{comment:str}",
    guards=GUARDED,
    opt=Doc(tag="Moderation", answers={200: CommentDetail}, problems=(NotFound,)).as_opt(),
)
async def show_queued_comment(
    comment: FromPath[str], services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """Show one comment with all that was done to it."""
    return answer(await operations.show_comment(services, caller, comment))


@post(
    "/v1/moderation/claims",
    guards=GUARDED,
    status_code=200,
    opt=Doc(
        tag="Moderation",
        body=ClaimComments,
        answers={200: Claimed},
        problems=(NotAllowed, NotFound, TooManyClaims, Invalid),
    ).as_opt(),
)
async def claim_comments(
    request: AppRequest, services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """Claim free pending comments of a site; nobody else can claim or decide them until the lease ends."""
    return answer(await claim(services, caller, await read_command(request, ClaimComments)))


@put(
    "/v1/moderation/claims",
    guards=GUARDED,
    opt=Doc(
        tag="Moderation", body=RenewClaims, answers={200: Claimed}, problems=(Invalid,)
    ).as_opt(),
)
async def renew_claims(
    request: AppRequest, services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """Renew claims that have not ended; the answer holds those that were."""
    return answer(await renew(services, caller, await read_command(request, RenewClaims)))


@delete(
    "/v1/moderation/claims",
    guards=GUARDED,
    status_code=200,
    opt=Doc(tag="Moderation", answers={204: None}).as_opt(),
)
async def release_claims(
    services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """Give all of one's own claims back."""
    await release(services, caller)
    return no_content()


@post(
    "/v1/moderation/decisions",
    guards=GUARDED,
    status_code=200,
    opt=Doc(
        tag="Moderation",
        body=DecideComments,
        headers=IDEMPOTENCY_KEY,
        answers={200: Results},
        answer_headers=IDEMPOTENCY_REPLAYED,
        problems=(NotAllowed, Invalid, IdempotencyKeyReused),
    ).as_opt(),
)
async def decide_comments(
    request: AppRequest, services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """Decide on comments, one after the other; a stale version or another's claim changes nothing."""
    with Faults() as faults:
        command = await read_command(request, DecideComments, faults)
        key = read_idempotency_key(request, faults)
    results, replayed = await decide(services, caller, command, key)
    return answer(results, headers=REPLAYED if replayed else None)


@post(
    "/v1/moderation/undo",
    guards=GUARDED,
    status_code=200,
    opt=Doc(
        tag="Moderation",
        body=UndoDecisions,
        answers={200: Results},
        problems=(NotAllowed, Invalid),
    ).as_opt(),
)
async def undo_decisions(
    request: AppRequest, services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """Take decisions back, unless their comments have changed since; an undo can be undone as well."""
    return answer(await undo(services, caller, await read_command(request, UndoDecisions)))


@post(
    "/v1/moderation/comments/{comment:str}/email-reveals",
    guards=GUARDED,
    status_code=200,
    opt=Doc(
        tag="Moderation",
        body=RevealEmail,
        answers={200: RevealedEmail},
        problems=(NotAllowed, NotFound, Gone, Invalid, RateLimited),
    ).as_opt(),
)
async def reveal_email(
    request: AppRequest,
    comment: FromPath[str],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """Show the commenter's address; who asked, and what for, goes to the log."""
    command = await read_command(request, RevealEmail)
    return answer(await operations.reveal_email(services, caller, comment, command))


@get(
    "/v1/moderation/log",
    guards=GUARDED,
    opt=Doc(
        tag="Moderation", query=ListLog, answers={200: LogPage}, problems=(NotFound, Invalid)
    ).as_opt(),
)
async def list_log(
    request: AppRequest, services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """List what was done, the newest first. Each entry's hash covers the one before it on its site."""
    with Faults() as faults:
        wanted = read_query(request, ListLog, faults)
        after = read_cursor(wanted.cursor, "log", faults)
    return answer(await operations.list_log(services, caller, wanted, after))


@get(
    "/v1/moderation/stats",
    guards=GUARDED,
    opt=Doc(
        tag="Moderation", query=ShowStats, answers={200: Stats}, problems=(NotFound, Invalid)
    ).as_opt(),
)
async def show_stats(
    request: AppRequest, services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """Give how many comments have which status, and what happened on the last days."""
    return answer(await operations.show_stats(services, caller, read_query(request, ShowStats)))


ROUTES = [
    list_queue,
    show_queued_comment,
    claim_comments,
    renew_claims,
    release_claims,
    decide_comments,
    undo_decisions,
    reveal_email,
    list_log,
    show_stats,
]
