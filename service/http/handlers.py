"""From exceptions to problems. Whatever is raised, the answer is one of the problems at /problems."""

from typing import Any
from uuid import uuid4

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.errors import (
    BodyNotReadable,
    BodyTooLarge,
    Conflict,
    MethodNotAllowed,
    NotFound,
    ServiceError,
    Unavailable,
)
from service.http.answers import answer_problem
from service.logs import get_logger

_BY_STATUS: dict[int, type[ServiceError]] = {
    400: BodyNotReadable,
    404: NotFound,
    405: MethodNotAllowed,
    413: BodyTooLarge,
}
_logger = get_logger(__name__)


def answer_service_error(_request: Request[Any, Any, Any], error: ServiceError) -> Response[Any]:
    return answer_problem(error)


def answer_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Answer what the framework raises by itself: no route, a wrong method, a body too large."""
    kind = _BY_STATUS.get(error.status_code)
    if kind is None:
        return answer_unexpected(request, error)
    known = kind()
    known.headers.update(error.headers or {})
    return answer_problem(known)


def answer_database_trouble(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer that the database is gone, locked for too long, or has no connection free."""
    _logger.error("database unavailable", route=_route(request), error=type(error).__name__)
    return answer_problem(Unavailable())


def answer_collision(request: Request[Any, Any, Any], error: IntegrityError) -> Response[Any]:
    """Answer that two requests wanted the same unique thing, and the other one has it."""
    if not _is_unique_violation(error):
        return answer_unexpected(request, error)
    _logger.warning("lost a race", route=_route(request), error=type(error.orig).__name__)
    return answer_problem(Conflict())


def _is_unique_violation(error: IntegrityError) -> bool:
    """Tell a lost race from a row that could never be stored, on either database."""
    return getattr(error.orig, "sqlstate", "") == "23505" or getattr(
        error.orig, "sqlite_errorname", ""
    ) in {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}


def answer_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer a fault of our own with an id that the log has too, and with nothing else."""
    error_id = uuid4().hex
    _logger.error("request failed", error_id=error_id, route=_route(request), exc_info=error)
    return answer_problem(ServiceError(), error_id)


def _route(request: Request[Any, Any, Any]) -> str:
    return str(request.scope.get("path_template") or "unknown")


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    ServiceError: answer_service_error,
    HTTPException: answer_http_exception,
    OperationalError: answer_database_trouble,
    InterfaceError: answer_database_trouble,
    PoolTimeout: answer_database_trouble,
    IntegrityError: answer_collision,
    Exception: answer_unexpected,
}
