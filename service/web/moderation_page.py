"""The simple page of moderators: pending comments and corrections, each with buttons that post."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get, post
from msgspec import Meta

from service.accounts.guards import caller_of, make_csrf_token, require_moderator
from service.http.faults import Faults
from service.http.handlers import FOR_PEOPLE
from service.http.pages import render_page, see_other
from service.http.reading import AppRequest, read_form, read_query
from service.http.routing import Router
from service.http.wire import Cursor
from service.moderation import operations
from service.moderation.decisions import decide_comments
from service.moderation.schemas import DecideComments, Decision, ListQueue
from service.services import services_of
from service.text.markup import show_addresses

PAGE = 20


class ShowQueue(msgspec.Struct, frozen=True):
    """Where the list starts, and what became of the last decision."""

    cursor: Cursor | None = None
    outcome: Literal["applied", "conflict", "not_found", "illegal"] | None = None


class DecideForm(msgspec.Struct, frozen=True):
    """The form of one comment: the button says what to do."""

    comment: Annotated[str, Meta(max_length=100)]
    version: Annotated[int, Meta(ge=1)]
    action: Literal["approve", "reject", "spam"]


@get("/")
async def show_queue_page(request: AppRequest) -> Response[Any]:
    """Show what waits for a decision, the oldest first."""
    services, caller = services_of(request), caller_of(request)
    faults = Faults()
    wanted = read_query(request, ShowQueue, faults)
    queue = await operations.list_queue(services, caller, ListQueue(limit=PAGE, cursor=wanted.cursor), faults)
    csrf = await make_csrf_token(services, caller.session_hash) if caller.session_hash else ""
    return render_page(
        "moderation.html",
        queue=queue,
        show_addresses=show_addresses,
        caller=caller,
        outcome=wanted.outcome,
        csrf=csrf,
    )


@post("/")
async def submit_decision(request: AppRequest) -> Response[Any]:
    """Decide on one comment and show the list again."""
    form = await read_form(request, DecideForm)
    decision = Decision(form.comment, form.version, form.action)
    command = DecideComments([decision])
    results, _ = await decide_comments(services_of(request), caller_of(request), command, None)
    return see_other(f"/moderation?outcome={results.results[0].outcome}")


ROUTERS = [
    Router(
        "/moderation",
        guards=[require_moderator],
        exception_handlers=FOR_PEOPLE,
        route_handlers=[show_queue_page, submit_decision],
    )
]
