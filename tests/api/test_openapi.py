"""The published document says what the routes do: all of them, and nothing else."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from service.accounts.guards import require_moderator
from service.app import create_app
from service.errors import list_problems
from service.http.edge import Edge
from service.http.openapi.document import describe_api
from service.http.routing import RouteTable
from service.settings import Settings
from service.sites.policy import find_faults
from service.wordpress.names import WORDPRESS_NAMES
from tests.cast import House

SUBMISSION = "POST /v1/sites/{site}/comments"
# Problems that no described operation can answer, each with the reason.
ELSEWHERE = {
    "method-not-allowed",  # It belongs to no operation; the introduction tells of it.
    "method-not-known",  # Nor does it.
}
# What the public may see of a submission or a comment: these members and no others.
PUBLIC_MEMBERS = {
    "PublicComment": "id parent name url avatar html created_at edited badge",
    "CommentPage": "article count comments previous next",
    "Counts": "counts",
    "Preview": "html",
    "Submitted": "id status article submitted_at receipt hints",
    "ReceiptLink": "token url",
    "Hint": "pointer code suggestion",
    "Receipt": "status article submitted_at decided_at reason statement can edit",
    "Form": "article open limits max_depth labels",
    "FormLimits": "name email url text",
}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> RouteTable:
    edge = create_app(Settings(data_dir=tmp_path_factory.mktemp("data")))
    assert isinstance(edge, Edge)
    return edge.table


@pytest.fixture(scope="module")
def document(table: RouteTable) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(describe_api(table))
    return found


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Give every described operation by method and path."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


async def test_the_document_is_served(house: House, document: dict[str, Any]) -> None:
    answer = await house.dave.get("/schema/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == document


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for value in walk(document):
        if "$ref" in value:
            assert resolve(document, value), value


def test_every_parameter_of_a_path_is_described(operations: dict[str, dict[str, Any]]) -> None:
    for name, operation in operations.items():
        described = {one["name"]: one for one in operation["parameters"] if one["in"] == "path"}
        assert set(described) == set(re.findall(r"\{(\w+)\}", name)), name
        for parameter in described.values():
            schema = parameter["schema"]
            assert parameter["description"], name
            assert "pattern" in schema or schema["format"] == "uuid", name


def test_every_route_under_v1_is_described(table: RouteTable, operations: dict[str, dict[str, Any]]) -> None:
    routes = {f"{method} {route.template}" for route in table.routes for method in route.handlers}
    assert {name for name in routes if " /v1/" in name} <= set(operations) <= routes


def test_an_operation_is_called_as_its_handler(
    table: RouteTable, operations: dict[str, dict[str, Any]]
) -> None:
    names = {
        f"{method} {route.template}": handler.fn.__name__
        for route in table.routes
        for method, handler, _ in route.described()
    }
    assert {name: one["operationId"] for name, one in operations.items()} == names
    assert len(set(names.values())) == len(names)


def test_guarded_operations_ask_for_credentials_and_public_ones_do_not(
    table: RouteTable, operations: dict[str, dict[str, Any]]
) -> None:
    for route in table.routes:
        for method, handler, _ in route.described():
            operation = operations[f"{method} {route.template}"]
            is_guarded = require_moderator in handler.resolve_guards()
            by_cookie: dict[str, list[str]] = {"cookie": []}
            if method != "GET":
                by_cookie["csrf"] = []
            assert operation["security"] == ([{"bearer": []}, by_cookie] if is_guarded else [])
            assert ("not-signed-in" in str(operation["responses"].get("401"))) == is_guarded


def test_the_public_sees_these_members_and_no_others(
    document: dict[str, Any], operations: dict[str, dict[str, Any]]
) -> None:
    seen: set[str] = set()
    for operation in operations.values():
        if operation["tags"][0] in {"Public", "Receipts"}:
            good = [answer for status, answer in operation["responses"].items() if status[0] == "2"]
            seen |= set(schemas_of(document, good))
    members = {name: set(document["components"]["schemas"][name]["properties"]) for name in seen}
    assert members == {name: set(words.split()) for name, words in PUBLIC_MEMBERS.items()}


def test_a_submission_comes_in_three_media_types_and_under_wordpress_names(
    document: dict[str, Any], operations: dict[str, dict[str, Any]]
) -> None:
    content = operations[SUBMISSION]["requestBody"]["content"]
    assert list(content) == [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ]
    for media in content.values():
        schema = resolve(document, media["schema"])
        assert {*WORDPRESS_NAMES, "email", "url", "redirect_to"} <= set(schema["properties"])
        assert schema["required"] == ["email"]
        either = [[one["required"][0] for one in rule["anyOf"]] for rule in schema["allOf"]]
        assert either == [["article", "comment_post_ID"], ["name", "author"], ["text", "comment"]]


def test_every_problem_is_described_where_it_can_happen(
    document: dict[str, Any], operations: dict[str, dict[str, Any]]
) -> None:
    described: set[str] = set()
    for operation in operations.values():
        for status, response in operation["responses"].items():
            content = resolve(document, response).get("content", {})
            if "application/problem+json" in content:
                problems = content["application/problem+json"]
                described |= set(problems["examples"])
                assert {list_problems()[slug].status for slug in problems["examples"]} == {int(status)}
    assert described == set(list_problems()) - ELSEWHERE


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        ("401", {"WWW-Authenticate"}),
        ("429", {"Retry-After", "RateLimit", "RateLimit-Policy"}),
        ("503", {"Retry-After"}),
    ],
)
def test_refusals_have_the_headers_that_help(
    document: dict[str, Any], status: str, headers: set[str]
) -> None:
    refusals = {
        name: response
        for name, response in document["components"]["responses"].items()
        if name.startswith(status)
    }
    assert refusals
    for response in refusals.values():
        assert set(response["headers"]) == headers


@pytest.mark.parametrize("path", ["comments", "comments/{comment}", "comments.atom", "counts"])
def test_public_reads_can_be_conditional(operations: dict[str, dict[str, Any]], path: str) -> None:
    operation = operations[f"GET /v1/sites/{{site}}/{path}"]
    assert "If-None-Match" in [one["name"] for one in operation["parameters"]]
    for status in ("200", "304"):
        assert operation["responses"][status]["headers"]["ETag"]["required"]


def test_a_query_has_the_bounds_and_defaults_of_its_command(
    operations: dict[str, dict[str, Any]],
) -> None:
    operation = operations["GET /v1/sites/{site}/comments"]
    query = {one["name"]: one for one in operation["parameters"] if one["in"] == "query"}
    # It may be left out beside `around`.
    assert not query["article"]["required"]
    assert query["limit"]["schema"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 200,
        "default": 50,
    }
    assert query["order"]["schema"] == {"enum": ["newest", "oldest"], "default": "oldest"}


@pytest.mark.parametrize(
    ("settings", "is_valid"),
    [
        ({"max_depth": 3, "limit.ip": "off", "reason.rude": "Be kind.", "reasons": {}}, True),
        ({"nosuch": 1}, False),
        ({"reason.A B": "x"}, False),
        ({"reason.rude": ""}, False),
        ({"reason.rude\n": "x"}, False),
        ({"reasons": {"A B": "x"}}, False),
        ({"limit.ip": "off\n"}, False),
        ({"max_depth": "3"}, False),
    ],
)
def test_settings_are_valid_by_their_schema_if_they_are_taken(
    document: dict[str, Any], settings: dict[str, Any], is_valid: bool
) -> None:
    schema = {"$ref": "#/components/schemas/ChangeSite", "components": document["components"]}
    validator = jsonschema_rs.Draft202012Validator(schema)
    assert validator.is_valid({"settings": settings}) == is_valid
    assert (find_faults({}, settings) == []) == is_valid


async def test_the_reference_loads_nothing_from_elsewhere(house: House) -> None:
    page = await house.dave.get("/schema")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert (await house.dave.get(address)).status_code == 200, address


def walk(value: object) -> Iterator[dict[str, Any]]:
    """Give every object within a JSON value."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from walk(inner)


def resolve(document: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """Give what a reference leads to; anything else is given back."""
    if "$ref" not in value:
        return value
    found = document
    for name in value["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found


def schemas_of(document: dict[str, Any], value: object) -> Iterator[str]:
    """Name every schema that a value refers to, and those within them."""
    for found in walk(value):
        if "$ref" in found:
            yield found["$ref"].rpartition("/")[2]
            yield from schemas_of(document, resolve(document, found))
