"""The bodies and answers in docs/api.md are those of the published document, member for member."""

import json
from collections.abc import Mapping
from typing import Any, get_args

import pytest

from service.accounts.schemas import RoleWord
from service.app import create_app
from service.comments.rules import STATUSES
from service.http.edge import Edge
from service.http.openapi.document import describe_api
from service.settings import Settings
from service.wordpress.names import WORDPRESS_NAMES
from tests.rules.test_docs import read_rows

WORDS = {
    "uuid": "id",
    "date-time": "time",
    "date": "day",
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
}
# Choices that many shapes share, and the page lists once.
NAMED: dict[frozenset[Any], str] = {
    frozenset(STATUSES): "status",
    frozenset(get_args(RoleWord)): "role",
}
# Their members stand under their own names beside, or are settings.
UNSPELT = {"settings": "settings"}


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    edge = create_app(Settings(data_dir=tmp_path_factory.mktemp("data")))
    assert isinstance(edge, Edge)
    found: dict[str, Any] = json.loads(describe_api(edge.table))
    return found


def spell(schema: Mapping[str, Any]) -> str:
    """Say a schema in the words of the page."""
    if "$ref" in schema:
        return f"`{schema['$ref'].split('/')[-1]}`"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(spell(one) for one in schema["anyOf"]))
    if "enum" in schema:
        choices = {one for one in schema["enum"] if one is not None}
        listed = NAMED.get(frozenset(choices)) or " or ".join(f"`{one}`" for one in sorted(choices))
        return f"{listed} or null" if None in schema["enum"] else listed
    kind = schema.get("format") or schema.get("type", "")
    if kind == "array":
        return f"list of {spell(schema['items'])}"
    if kind == "object":
        within = schema.get("additionalProperties")
        return f"object of {spell(within)}" if isinstance(within, dict) and within else "object"
    return WORDS.get(kind) or WORDS[schema["type"]]


def spell_members(schema: Mapping[str, Any], aliases: set[str]) -> str:
    """List the members of a shape; a `?` is one that may be absent."""
    either = {rule["anyOf"][0]["required"][0] for rule in schema.get("allOf", [])}
    required = {*schema.get("required", []), *either}
    return ", ".join(
        f"`{name}`{'' if name in required else '?'} {UNSPELT.get(name) or spell(member)}"
        for name, member in schema["properties"].items()
        if name not in aliases
    )


def shapes(document: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: spell_members(schema, {*WORDPRESS_NAMES} if name == "SubmitComment" else set())
        for name, schema in document["components"]["schemas"].items()
        if "properties" in schema
    }


def exchanges(document: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Give by operation what it takes and what it answers with if all goes well."""
    return {
        f"{method.upper()} {path}": (_taken(operation), _answered(operation))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def _taken(operation: Mapping[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    return next((spell(media["schema"]) for media in content.values()), "")


def _answered(operation: Mapping[str, Any]) -> str:
    answers = []
    for status, answer in operation["responses"].items():
        if status[0] in "23":
            content: dict[str, Any] = answer.get("content", {})
            media = next(iter(content), "")
            schema = content[media]["schema"] if media else {}
            answers.append(f"{status} {spell(schema) if '$ref' in schema else media}".strip())
    return ", ".join(answers)


def test_every_exchange_is_documented(document: dict[str, Any]) -> None:
    expected = {name: list(cells) for name, cells in exchanges(document).items()}
    assert_rows(read_rows("api.md", "operation"), expected)


def test_every_shape_is_documented(document: dict[str, Any]) -> None:
    assert_rows(read_rows("api.md", "shape"), {n: [one] for n, one in shapes(document).items()})


def assert_rows(documented: dict[str, list[str]], expected: dict[str, list[str]]) -> None:
    """Hold a table to what it should be; what is missing is said as it should stand there."""
    missing = [
        f"| `{name}` | {' | '.join(cells)} |"
        for name, cells in expected.items()
        if documented.get(name) != cells
    ]
    assert not missing, "\n".join(["These rows are missing in docs/api.md:", *missing])
    assert documented.keys() == expected.keys()
