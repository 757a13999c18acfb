"""The routes of moderation."""

from typing import Any

from litestar import Response, delete, get, post, put
from litestar.params import FromPath

from service.accounts.guards import caller_of, require_moderator
from service.errors import Gone, IdempotencyKeyReused, NotAllowed, NotFound, RateLimited
from service.http.answers import answer, no_content
from service.http.cursors import read_cursor
from service.http.docs import IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED
from service.http.faults import Faults
from service.http.reading import (
    REPLAYED,
    AppRequest,
    read_command,
    read_idempotency_key,
    read_query,
)
from service.http.routing import Router
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
from service.services import services_of


@get("/comments", query=ListQueue, answers={200: Queue}, problems=(NotFound,))
async def list_queue(request: AppRequest) -> Response[Any]:
    """List comments by status: those that wait, unless another is asked for."""
    faults = Faults()
    wanted = read_query(request, ListQueue, faults)
    found = await operations.list_queue(services_of(request), caller_of(request), wanted, faults)
    return answer(found)


@get("/comments/{comment:str}", answers={200: CommentDetail})
async def show_queued_comment(request: AppRequest, comment: FromPath[str]) -> Response[Any]:
    """Show one comment with all that was done to it."""
    found = await operations.show_comment(services_of(request), caller_of(request), comment)
    return answer(found)


@post(
    "/claims",
    body=ClaimComments,
    answers={200: Claimed},
    problems=(NotAllowed, NotFound, TooManyClaims),
)
async def claim_comments(request: AppRequest) -> Response[Any]:
    """Claim free pending comments of a site; nobody else can claim or decide them until the lease ends."""
    command = await read_command(request, ClaimComments)
    return answer(await claim(services_of(request), caller_of(request), command))


@put("/claims", body=RenewClaims, answers={200: Claimed})
async def renew_claims(request: AppRequest) -> Response[Any]:
    """Renew claims that have not ended; the answer holds those that were."""
    command = await read_command(request, RenewClaims)
    return answer(await renew(services_of(request), caller_of(request), command))


@delete("/claims", answers={204: None})
async def release_claims(request: AppRequest) -> Response[None]:
    """Give all of one's own claims back."""
    await release(services_of(request), caller_of(request))
    return no_content()


@post(
    "/decisions",
    body=DecideComments,
    headers=IDEMPOTENCY_KEY,
    answers={200: Results},
    answer_headers=IDEMPOTENCY_REPLAYED,
    problems=(NotAllowed, IdempotencyKeyReused),
)
async def decide_comments(request: AppRequest) -> Response[Any]:
    """Decide on comments, one after the other; a stale version or another's claim changes nothing."""
    with Faults() as faults:
        command = await read_command(request, DecideComments, faults)
        key = read_idempotency_key(request, faults)
    results, replayed = await decide(services_of(request), caller_of(request), command, key)
    return answer(results, headers=REPLAYED if replayed else None)


@post("/undo", body=UndoDecisions, answers={200: Results}, problems=(NotAllowed,))
async def undo_decisions(request: AppRequest) -> Response[Any]:
    """Take decisions back, unless their comments have changed since; an undo can be undone as well."""
    command = await read_command(request, UndoDecisions)
    return answer(await undo(services_of(request), caller_of(request), command))


@post(
    "/comments/{comment:str}/email-reveals",
    body=RevealEmail,
    answers={200: RevealedEmail},
    problems=(NotAllowed, Gone, RateLimited),
)
async def reveal_email(request: AppRequest, comment: FromPath[str]) -> Response[Any]:
    """Show the commenter's address; who asked, and what for, goes to the log."""
    command = await read_command(request, RevealEmail)
    services, caller = services_of(request), caller_of(request)
    return answer(await operations.reveal_email(services, caller, comment, command))


@get("/log", query=ListLog, answers={200: LogPage}, problems=(NotFound,))
async def list_log(request: AppRequest) -> Response[Any]:
    """List what was done, the newest first. Each entry's hash covers the one before it on its site."""
    with Faults() as faults:
        wanted = read_query(request, ListLog, faults)
        after = read_cursor(wanted.cursor, "log", faults)
    found = await operations.list_log(services_of(request), caller_of(request), wanted, after)
    return answer(found)


@get("/stats", query=ShowStats, answers={200: Stats}, problems=(NotFound,))
async def show_stats(request: AppRequest) -> Response[Any]:
    """Give how many comments have which status, and what happened on the last days."""
    wanted = read_query(request, ShowStats)
    return answer(await operations.show_stats(services_of(request), caller_of(request), wanted))


ROUTERS = [
    Router(
        "/v1/moderation",
        guards=[require_moderator],
        opt={"tag": "Moderation"},
        route_handlers=[
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
        ],
    )
]
