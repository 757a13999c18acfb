"""The receipt as an API and as a page."""

from contextlib import suppress
from typing import Any

from litestar import Response, delete, get, patch, post
from litestar.params import FromPath

from service.comments.errors import DuplicateComment
from service.comments.receipts import ReceiptToken
from service.errors import (
    Conflict,
    Invalid,
    MethodNotAllowed,
    OriginNotAllowed,
    RateLimited,
    ServiceError,
)
from service.form.fields import BY_NAME, read_text
from service.http.answers import answer, no_content
from service.http.docs import PathTypes, Readers, describe_header
from service.http.forms import FORMS
from service.http.handlers import AS_PAGE, FOR_PEOPLE, name_error
from service.http.pages import accepts_page, see_other, show_error
from service.http.reading import JSON, AppRequest, read_fields
from service.http.routing import Router
from service.http.salvage import salvage_fields
from service.receipts import operations, pages
from service.receipts.errors import AlreadyWithdrawn, EditWindowClosed
from service.receipts.operations import charge_use, find_receipt, find_to_change, read_receipt
from service.receipts.rules import Held
from service.receipts.schemas import EditComment, Receipt
from service.services import services_of

UNLISTED = {"X-Robots-Tag": describe_header("Keeps search engines out.", const="noindex")}


async def require_changeable(request: AppRequest, token: str) -> Held:
    """Give what a token is the receipt of, to somebody who is about to change it; both refusals are charged.

    Raises NotFound, first of all, so that a wrong token is the same 404 whatever comes with it; or
    OriginNotAllowed for a page that is neither ours nor of any site.
    """
    services = services_of(request)
    held = await find_to_change(services, token, services.client_prefix(request))
    foreign = services.foreign_origin(request)
    if foreign is not None and not await services.directory.is_origin_of_any(foreign):
        await services.charge_refusal(request)
        raise OriginNotAllowed
    return held


@get("/", answers={200: Receipt}, answer_headers=UNLISTED)
async def show_receipt(request: AppRequest, token: FromPath[str]) -> Response[Any]:
    """Show the commenter what became of the comment."""
    services = services_of(request)
    return answer(await read_receipt(services, token, services.client_prefix(request)))


@patch(
    "/",
    body=EditComment,
    answers={200: Receipt},
    answer_headers=UNLISTED,
    problems=(OriginNotAllowed, Conflict, DuplicateComment, EditWindowClosed),
)
async def edit_comment(request: AppRequest, token: FromPath[str]) -> Response[Any]:
    """Correct the text, as long as `can` has `edit`.

    A pending comment is changed. An approved one stays as it is until a moderator has seen the new text; a
    later correction takes the place of one that waits.
    """
    held = await require_changeable(request, token)
    return answer(await _edit(request, held, (JSON,)))


async def _edit(request: AppRequest, held: Held, media: tuple[str, ...]) -> Receipt:
    """Correct a comment with what a request sends."""
    services = services_of(request)
    await charge_use(services, services.client_prefix(request))
    fields = await read_fields(request, media)
    text = await read_text(fields.get("text"), held.site)
    return await operations.edit_comment(services, held, text)


@delete("/", answers={204: None}, problems=(OriginNotAllowed, AlreadyWithdrawn))
async def withdraw_comment(request: AppRequest, token: FromPath[str]) -> Response[None]:
    """Withdraw the comment. It is gone from the public at once, and the same text may be sent again."""
    await require_changeable(request, token)
    services = services_of(request)
    await operations.withdraw_comment(services, token, services.client_prefix(request))
    return no_content()


@get("/")
async def show_receipt_page(request: AppRequest, token: FromPath[str]) -> Response[Any]:
    """Show the receipt as a page."""
    services = services_of(request)
    held = await find_receipt(services, token, services.client_prefix(request))
    return pages.show_receipt(request, token, held, services.clock())


@post("/edit")
async def edit_by_page(request: AppRequest, token: FromPath[str]) -> Response[Any]:
    """Correct the comment from its page, and show the page again."""
    services, held = services_of(request), await require_changeable(request, token)
    try:
        await _edit(request, held, FORMS)
    except Exception as raised:
        # Whatever it is, somebody has typed something that must not be lost.
        error, _ = name_error(request, raised)
        typed = await _salvage_text(request, error)
        if not await services.may_send_back(request, len(typed or "") + held.chars):
            return show_error(error)
        return pages.show_receipt(request, token, held, services.clock(), error=error, typed=typed)
    return see_other(f"/receipts/{token}{pages.query_of(request, held)}")


async def _salvage_text(request: AppRequest, error: ServiceError) -> str | None:
    """Give as much of what was typed as is sent back; None where nothing of it can be made out."""
    text = (await salvage_fields(request)).get("text")
    if text is None:
        # A field that was emptied stays so.
        return "" if isinstance(error, Invalid) else None
    return BY_NAME["text"].cut(text)


@post("/withdraw")
async def withdraw_by_page(request: AppRequest, token: FromPath[str]) -> Response[Any]:
    """Withdraw the comment from its page, and show the page again."""
    services, held = services_of(request), await require_changeable(request, token)
    with suppress(AlreadyWithdrawn):
        await operations.withdraw_comment(services, token, services.client_prefix(request))
    return see_other(f"/receipts/{token}{pages.query_of(request, held)}")


@get(["/edit", "/withdraw"], refuses=True, exception_handlers=FOR_PEOPLE)
async def lead_to_receipt(request: AppRequest, token: FromPath[str]) -> Response[Any]:
    """Lead whoever opens what the page's forms are posted to back to the page: nothing is done by a link."""
    if not accepts_page(request):
        raise MethodNotAllowed
    services = services_of(request)
    held = await find_receipt(services, token, services.client_prefix(request))
    return see_other(f"/receipts/{token}{pages.query_of(request, held)}")


ROUTERS = [
    Router(
        "/v1/receipts/{token:str}",
        opt={
            "tag": "Receipts",
            "readers": Readers.ANY_SITE,
            "path_types": PathTypes(token=ReceiptToken),
            "common": (RateLimited,),
        },
        route_handlers=[show_receipt, edit_comment, withdraw_comment],
    ),
    Router(
        "/receipts/{token:str}",
        exception_handlers=AS_PAGE,
        route_handlers=[show_receipt_page, edit_by_page, withdraw_by_page, lead_to_receipt],
    ),
]
