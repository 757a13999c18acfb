"""The OpenAPI document, made from the routes' own descriptions and the Structs that they read and write."""

import re
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

import msgspec

from service.errors import (
    BodyNotReadable,
    BodyTooLarge,
    FieldError,
    MediaTypeNotSupported,
    NotSignedIn,
    Problem,
    RateLimited,
    ServiceError,
    Unavailable,
)
from service.http.docs import HTML, PROBLEM, Doc
from service.http.reading import JSON
from service.http.routing import Route, RouteTable

REF = "#/components/schemas/{name}"
# What any operation may answer besides its own problems.
ALWAYS: tuple[type[ServiceError], ...] = (ServiceError, Unavailable)
WITH_BODY: tuple[type[ServiceError], ...] = (BodyNotReadable, BodyTooLarge, MediaTypeNotSupported)
RATE_LIMIT_HEADERS = {
    "Retry-After": "Seconds until the next try can pass.",
    "RateLimit-Policy": "The rule that refused: its name, quota and window in seconds.",
    "RateLimit": "The rule that refused: what remains, and the seconds until there is more.",
}
DESCRIPTION = """\
Readers send comments, moderators decide about them, and sites fetch those that were approved. A comment
is never public before a decision, and the e-mail address of its author never is.

Every error is `application/problem+json`; `/problems` lists all of them.
"""


def describe_api(table: RouteTable) -> bytes:
    """Give the document (OpenAPI 3.1) as JSON."""
    described = [
        (route, method, handler, doc)
        for route in table.routes
        for method, handler, doc in route.docs()
    ]
    schemas, components = _schemas([doc for *_, doc in described])
    paths: dict[str, dict[str, Any]] = {}
    for route, method, handler, doc in described:
        operation = _operation(route, method, handler, doc, schemas)
        paths.setdefault(route.template, {})[method.lower()] = operation
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Greenroom",
            "version": version("greenroom"),
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "greenroom"},
            },
        },
    }
    return msgspec.json.encode(document)


Schemas = dict[type[msgspec.Struct], dict[str, Any]]


def _schemas(docs: Iterable[Doc]) -> tuple[Schemas, dict[str, Any]]:
    kinds: set[type[msgspec.Struct]] = {Problem, FieldError}
    for doc in docs:
        kinds |= {kind for kind in doc.answers.values() if _is_struct(kind)}  # type: ignore[misc]
        kinds |= {kind for kind in (doc.body, doc.query) if kind}
    ordered = sorted(kinds, key=lambda kind: kind.__name__)
    found, components = msgspec.json.schema_components(ordered, ref_template=REF)
    return dict(zip(ordered, found, strict=True)), components


def _is_struct(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _operation(
    route: Route, method: str, handler: Any, doc: Doc, schemas: Schemas
) -> dict[str, Any]:
    words = (handler.fn.__doc__ or "").strip()
    is_guarded = bool(handler.guards)
    operation: dict[str, Any] = {
        "operationId": handler.fn.__name__,
        "tags": [doc.tag],
        "summary": words.split("\n")[0].rstrip("."),
        "description": re.sub(r"\s*\n\s*", " ", words),
        "parameters": [*_path_parameters(route), *_query_parameters(doc), *_header_parameters(doc)],
        "responses": _responses(doc, schemas, is_guarded),
        "security": [{"bearer": []}, {"cookie": []}] if is_guarded else [],
    }
    if doc.body:
        content = {media: {"schema": schemas[doc.body]} for media in doc.media}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in route.pattern.groupindex
    ]


def _query_parameters(doc: Doc) -> list[dict[str, Any]]:
    if doc.query is None:
        return []
    schema = msgspec.json.schema(doc.query)
    members = schema["$defs"][doc.query.__name__]
    return [
        {
            "name": name,
            "in": "query",
            "required": name in members.get("required", []),
            "schema": _without_null(member),
        }
        for name, member in members["properties"].items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is there or absent: in a query there is no null."""
    choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
    plain = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
    default = {"default": schema["default"]} if schema.get("default") is not None else {}
    return {**plain, **(choices[0] if len(choices) == 1 else {}), **default}


def _header_parameters(doc: Doc) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "header",
            "required": False,
            "description": words,
            "schema": {"type": "string"},
        }
        for name, words in doc.headers.items()
    ]


def _responses(doc: Doc, schemas: Schemas, is_guarded: bool) -> dict[str, Any]:
    responses = {
        str(status): _good_answer(status, answer, doc, schemas)
        for status, answer in doc.answers.items()
    }
    problems = [*doc.problems, *ALWAYS, *(WITH_BODY if doc.body else ())]
    problems += [NotSignedIn] if is_guarded else []
    by_status: dict[int, list[type[ServiceError]]] = {}
    for problem in problems:
        by_status.setdefault(problem.status, []).append(problem)
    for status, kinds in sorted(by_status.items()):
        if str(status) not in responses:
            responses[str(status)] = _bad_answer(status, kinds, doc, schemas)
    return responses


def _good_answer(status: int, answer: Any, doc: Doc, schemas: Schemas) -> dict[str, Any]:
    response: dict[str, Any] = {"description": "Done." if answer is None else "The answer."}
    if _is_struct(answer):
        response["content"] = {JSON: {"schema": schemas[answer]}}
    elif answer:
        response["content"] = {answer: {"schema": {"type": "string"}}}
    if doc.answer_headers:
        response["headers"] = _headers(doc.answer_headers)
    return response


def _bad_answer(
    status: int, kinds: list[type[ServiceError]], doc: Doc, schemas: Schemas
) -> dict[str, Any]:
    words = "; ".join(f"`{kind.slug}`: {kind.title}" for kind in dict.fromkeys(kinds))
    content: dict[str, Any] = {PROBLEM: {"schema": schemas[Problem]}}
    if doc.page_problems:
        content[HTML] = {"schema": {"type": "string"}}
    response: dict[str, Any] = {"description": words, "content": content}
    if status == RateLimited.status:
        response["headers"] = _headers(RATE_LIMIT_HEADERS)
    return response


def _headers(words: Any) -> dict[str, Any]:
    return {
        name: {"description": text, "schema": {"type": "string"}} for name, text in words.items()
    }
