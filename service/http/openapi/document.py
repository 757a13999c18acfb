"""The whole document: what holds for every route, then each operation."""

import re
from importlib.metadata import version
from typing import Any

import msgspec

from service.http.docs import Doc
from service.http.openapi.responses import SharedResponses
from service.http.openapi.schemas import Schemas, forbid_nul
from service.http.routing import Route, RouteTable
from service.http.wire import Id, Slug

DESCRIPTION = """\
Readers send comments, moderators decide on them, and sites fetch those that were approved. A comment
is never public before a decision, and the e-mail address of its author never is.

Every error is `application/problem+json` (RFC 9457); [`/problems`](/problems) lists all of them. Ids are
UUIDv7, times RFC 3339 in UTC, cursors opaque. Unknown members and form fields are ignored.

The greatest lengths of what people write hold after normalisation: Unicode NFC, a line feed for each
line's end, controls and invisible characters removed, ends trimmed. So something longer may be taken.

On every route HEAD works where GET does, `OPTIONS` names all methods in `Allow`, any other method is
405 `method-not-allowed` with the same `Allow`, and a trailing slash is tolerated.
"""
TAGS = {
    "Public": "For readers, and for the sites that show comments. No credentials.",
    "Moderation": "The queue, claims, decisions and their log.",
    "Receipts": "The commenter's own view of one submission, by its private link.",
    "Session": "Signing in and out by cookie.",
    "Tokens": "Bearer tokens for scripts.",
    "Sites": "Sites, their settings and their articles.",
    "Moderators": "The accounts of the installation, for its admins.",
    "Members": "The moderators of a site and their roles.",
    "Operations": "Liveness, readiness and metrics.",
}
SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A token of `POST /v1/tokens`."},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "greenroom",
        "description": "Set by `POST /v1/session`; `__Host-greenroom` where the public URL is https.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "The `csrf_token` of `POST /v1/session`, with our own `Origin`.",
    },
}
# What the parameters of paths mean, unless a route says otherwise.
PATH_TYPES = {"site": Slug, "comment": Id, "moderator": Id}
SAFE_METHODS = {"GET"}


def describe_api(table: RouteTable) -> bytes:
    """Give the document (OpenAPI 3.1) as JSON."""
    described = [(route, *one) for route in table.routes for one in route.described()]
    schemas = Schemas([doc for *_, doc in described])
    responses = SharedResponses(schemas)
    paths: dict[str, dict[str, Any]] = {}
    for route, method, handler, doc in described:
        is_safe, is_guarded = method in SAFE_METHODS, bool(handler.resolve_guards())
        paths.setdefault(route.template, {})[method.lower()] = {
            **_describe(handler, doc, schemas),
            "responses": responses.of(route, doc, is_guarded=is_guarded, is_safe=is_safe),
            "security": _security(is_safe) if is_guarded else [],
            "parameters": _list_parameters(route, doc),
        }
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Greenroom",
                "version": version("greenroom"),
                "description": DESCRIPTION,
                "license": {"name": "MIT", "identifier": "MIT"},
            },
            "tags": [{"name": name, "description": words} for name, words in TAGS.items()],
            "paths": paths,
            "components": {
                "schemas": schemas.components,
                "responses": responses.components,
                "securitySchemes": SECURITY_SCHEMES,
            },
        }
    )


def _describe(handler: Any, doc: Doc, schemas: Schemas) -> dict[str, Any]:
    words = (handler.fn.__doc__ or "").strip()
    operation: dict[str, Any] = {
        "operationId": handler.fn.__name__,
        "tags": [doc.tag],
        "summary": words.split("\n")[0].rstrip("."),
        "description": re.sub(r"\s*\n\s*", " ", words),
    }
    if doc.body:
        content = {media: {"schema": schemas.refer(doc.body)} for media in doc.media}
        operation["requestBody"] = {"required": schemas.is_required(doc.body), "content": content}
    return operation


def _security(is_safe: bool) -> list[dict[str, list[str]]]:
    """A change by cookie has to prove as well that it came from our own page."""
    by_cookie = ["cookie"] if is_safe else ["cookie", "csrf"]
    return [{"bearer": []}, {scheme: [] for scheme in by_cookie}]


def _list_parameters(route: Route, doc: Doc) -> list[dict[str, Any]]:
    """List the parameters of an operation: path, query, then headers."""
    headers = [{"name": name, "in": "header", **words} for name, words in doc.headers.items()]
    return [*_in_path(route, doc), *_in_query(doc), *headers]


def _in_path(route: Route, doc: Doc) -> list[dict[str, Any]]:
    types = {**PATH_TYPES, **doc.path_types}
    return [
        _parameter(name, "path", msgspec.json.schema(types[name]), required=True)
        for name in route.pattern.groupindex
    ]


def _in_query(doc: Doc) -> list[dict[str, Any]]:
    if doc.query is None:
        return []
    members = msgspec.json.schema(doc.query)["$defs"][doc.query.__name__]
    forbid_nul(members)
    required = members["required"]
    return [
        _parameter(name, "query", _without_null(schema), required=name in required)
        for name, schema in members["properties"].items()
    ]


def _parameter(name: str, place: str, schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    words = schema.pop("description", None)
    parameter = {"name": name, "in": place, "required": required, "schema": schema}
    return {**parameter, "description": words} if words else parameter


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is there or absent: in a query there is no null."""
    choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
    plain = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
    default = {"default": schema["default"]} if schema.get("default") is not None else {}
    return {**plain, **(choices[0] if len(choices) == 1 else {}), **default}
