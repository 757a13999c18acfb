"""Answers: JSON from Structs, problems, and pages."""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Response

from service.errors import ServiceError
from service.http.docs import PROBLEM
from service.http.reading import JSON


def answer(
    value: msgspec.Struct, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response[bytes]:
    """Give a Struct as JSON."""
    return respond(msgspec.json.encode(value), JSON, status, headers)


def created(value: msgspec.Struct, place: str) -> Response[bytes]:
    """Answer that something was made (201), and where it is (RFC 9110, section 15.3.2)."""
    return answer(value, 201, {"Location": place})


def no_content() -> Response[None]:
    """Answer that it was done and there is nothing to say."""
    return Response(None, status_code=204)


def respond(
    content: bytes, media_type: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response[bytes]:
    """Give encoded bytes; the edge lets nobody store them unless `headers` say otherwise."""
    return Response(content, status_code=status, media_type=media_type, headers=headers)


def answer_problem(error: ServiceError, error_id: str | None = None) -> Response[Any]:
    """Give an error as a problem (RFC 9457)."""
    body = msgspec.json.encode(error.to_problem(error_id))
    return respond(body, PROBLEM, error.status, error.headers)
