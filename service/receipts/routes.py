"""The receipt as an API and as a page."""

from typing import Any

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from service.comments.receipts import ReceiptToken
from service.errors import NotFound, OriginNotAllowed, RateLimited, ServiceError
from service.http.answers import answer, no_content
from service.http.docs import Doc, Readers, describe_header
from service.http.pages import render_page, see_other, show_error
from service.http.reading import AppRequest
from service.receipts import operations
from service.receipts.operations import AlreadyWithdrawn, read_receipt
from service.receipts.schemas import Receipt
from service.services import Services


async def require_known_origin(request: AppRequest, services: Services) -> None:
    """Raise OriginNotAllowed for a change from a page that is neither ours nor of any site."""
    foreign = services.foreign_origin(request)
    if foreign is not None and not await services.directory.is_origin_of_any(foreign):
        raise OriginNotAllowed


@get(
    "/v1/receipts/{token:str}",
    opt=Doc(
        readers=Readers.ANY_SITE,
        tag="Receipts",
        path={"token": ReceiptToken},
        answers={200: Receipt},
        answer_headers={
            "X-Robots-Tag": describe_header("Keeps search engines out.", const="noindex")
        },
        problems=(NotFound, RateLimited),
    ).as_opt(),
)
async def show_receipt(
    request: AppRequest, token: FromPath[str], services: NamedDependency[Services]
) -> Response[Any]:
    """Show the commenter what became of the comment."""
    receipt, _ = await read_receipt(services, token, services.client_prefix(request))
    return answer(receipt)


@delete(
    "/v1/receipts/{token:str}",
    status_code=200,
    opt=Doc(
        readers=Readers.ANY_SITE,
        tag="Receipts",
        path={"token": ReceiptToken},
        answers={204: None},
        problems=(OriginNotAllowed, NotFound, AlreadyWithdrawn, RateLimited),
    ).as_opt(),
)
async def withdraw_comment(
    request: AppRequest, token: FromPath[str], services: NamedDependency[Services]
) -> Response[Any]:
    """Withdraw the comment. It is gone from the public at once, and the same text may be sent again."""
    await require_known_origin(request, services)
    await operations.withdraw_comment(services, token, services.client_prefix(request))
    return no_content()


@get("/receipts/{token:str}")
async def show_receipt_page(
    request: AppRequest, token: FromPath[str], services: NamedDependency[Services]
) -> Response[Any]:
    """Show the receipt as a page."""
    try:
        receipt, site = await read_receipt(services, token, services.client_prefix(request))
    except ServiceError as error:
        return show_error(error)
    return render_page("receipt.html", receipt=receipt, site=site, token=token)


@post("/receipts/{token:str}/withdraw", status_code=200)
async def withdraw_by_page(
    request: AppRequest, token: FromPath[str], services: NamedDependency[Services]
) -> Response[Any]:
    """Withdraw the comment from its page, and show the page again."""
    try:
        await require_known_origin(request, services)
        await operations.withdraw_comment(services, token, services.client_prefix(request))
    except AlreadyWithdrawn:
        pass
    except ServiceError as error:
        return show_error(error)
    return see_other(f"/receipts/{token}")


ROUTES = [show_receipt, withdraw_comment, show_receipt_page, withdraw_by_page]
