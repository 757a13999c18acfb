"""The operations of the published document, with all that each reads."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from service.wordpress.names import WORDPRESS_NAMES

KEY = "Idempotency-Key"


class Operation(NamedTuple):
    """An operation as the document has it, for one media type of its body."""

    name: str
    method: str
    path: str
    media: str | None
    query: Mapping[str, Any]
    required_query: frozenset[str]
    members: Mapping[str, Any]
    required: frozenset[str]
    has_key: bool

    def __str__(self) -> str:
        return f"{self.name} {self.media or ''}".strip()


def read_operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Give every operation that reads a query or a body, once for each media type of that."""
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            query = {p["name"]: p["schema"] for p in one["parameters"] if p["in"] == "query"}
            must = frozenset(p["name"] for p in one["parameters"] if p["in"] == "query" and p["required"])
            has_key = any(p["name"] == KEY for p in one["parameters"])
            for media, content in one.get("requestBody", {}).get("content", {None: {}}).items():
                schema = schemas[content["schema"]["$ref"].split("/")[-1]] if content else {}
                members = {
                    name: member
                    for name, member in schema.get("properties", {}).items()
                    if name not in WORDPRESS_NAMES
                }
                # Of a member that may come under two names either is required.
                either = [rule["anyOf"][0]["required"][0] for rule in schema.get("allOf", [])]
                required = frozenset([*schema.get("required", []), *either])
                if query or members:
                    yield Operation(
                        *(one["operationId"], method, path, media, query, must),
                        *(members, required, has_key),
                    )
