"""The parameters of an operation: in its path, its query and its headers."""

from typing import Any

import msgspec

from service.http.docs import Doc
from service.http.openapi.schemas import forbid_nul
from service.http.routing import Route
from service.http.wire import Id, Slug

# What the parameters of paths mean, unless a route says otherwise.
PATH_TYPES = {"site": Slug, "comment": Id, "moderator": Id}


def describe_parameters(route: Route, doc: Doc) -> list[dict[str, Any]]:
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
