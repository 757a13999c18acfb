"""From exceptions to problems. Whatever is raised, the answer is one of the problems at /problems."""

from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap
from sqlalchemy.exc import IntegrityError

from service.database.faults import UNWRITABLE, name_fault
from service.database.statements import is_unique_violation
from service.errors import (
    BodyNotReadable,
    BodyTooLarge,
    Conflict,
    MethodNotAllowed,
    NotFound,
    NotSignedIn,
    ServiceError,
    Unavailable,
)
from service.http.answers import answer_problem
from service.http.pages import accepts_page, see_other, show_error
from service.http.request_ids import REQUEST_ID
from service.telemetry.logs import get_logger

_BY_STATUS: dict[int, type[ServiceError]] = {
    400: BodyNotReadable,
    404: NotFound,
    405: MethodNotAllowed,
    413: BodyTooLarge,
}
# What somebody has to mend takes longer than what passes by itself.
RETRY_AFTER_SECONDS = {False: 2, True: 10}
_logger = get_logger(__name__)


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer whatever was raised with its problem."""
    return answer_problem(*name_error(request, error))


def name_error(request: Request[Any, Any, Any], error: Exception) -> tuple[ServiceError, str | None]:
    """Give what an exception is to the caller, with the id of a fault of our own, which is logged."""
    if isinstance(error, ServiceError):
        return error, None
    if isinstance(error, HTTPException) and error.status_code in _BY_STATUS:
        # What the framework raises by itself: no route, a wrong method, a body too large.
        known = _BY_STATUS[error.status_code]()
        known.headers.update(error.headers or {})
        return known, None
    if (fault := name_fault(error)) is not None:
        # The unit of work has told the log of it, once for all who met it.
        return Unavailable(retry_after_seconds=RETRY_AFTER_SECONDS[fault in UNWRITABLE]), None
    if isinstance(error, IntegrityError) and is_unique_violation(error):
        # Two requests wanted the same unique thing, and the other one has it.
        _logger.warning("lost a race", route=_route(request), error=type(error.orig).__name__)
        return Conflict(), None
    # The log has the request's id in each of its lines.
    _logger.error("request failed", route=_route(request), exc_info=error)
    return ServiceError(), str(request.scope["state"][REQUEST_ID])


def _route(request: Request[Any, Any, Any]) -> str:
    return str(request.scope.get("path_template") or "unknown")


def show_any_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Show whatever was raised as a page."""
    return show_error(*name_error(request, error))


def answer_as_asked(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Show a person why a page refused, and whoever has no session the way in; to others it is a problem."""
    if not accepts_page(request):
        return answer_error(request, error)
    if isinstance(error, NotSignedIn):
        return see_other("/sign-in")
    return show_any_error(request, error)


# The framework has handlers of its own for what is not named here.
EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    HTTPException: answer_error,
    Exception: answer_error,
}
# Of what is a page and nothing else.
AS_PAGE: ExceptionHandlersMap = {HTTPException: show_any_error, Exception: show_any_error}
# Of what a page is asked for.
FOR_PEOPLE: ExceptionHandlersMap = {HTTPException: answer_as_asked, Exception: answer_as_asked}
