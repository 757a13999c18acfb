"""Whatever is wrong with a request is told at once, in words for people, by every operation that reads any.

The operations, their parameters and the members of their bodies are those of the published document, so that
a new one is held to it without being named here.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from service.app import create_app
from service.http.edge import Edge
from service.http.openapi.document import describe_api
from service.settings import Settings
from tests.cast import House
from tests.faulty_requests import JSON, errors_of, named, names_of, send
from tests.operations import KEY, Operation, read_operations

# Nothing here depends on which database it is.
pytestmark = pytest.mark.parametrize("furnished", ["sqlite"], indirect=True)

# What is refused for its type alone: a text that cannot be a redirect is as if it were absent, in a form any.
HARDLY_REFUSED = "redirect_to"
# It reads what `submit_comment` reads, and says in a page what is wrong.
IN_A_PAGE = {"submit_wordpress_form"}
# What somebody might send who means it, where no type says what is wrong with it.
MEANT: dict[str, Any] = {
    "article": "https://not-ours.example/post",
    "cursor": "!",
    "email": "dave at mail.example",
    "origins": ["https://good.example", "nope", "https://[1]", "https://xn--a.ß\u0378", 5],
    "settings": {
        "limit.ip": "many",
        "max_depth": -1,
        "articles": "all",
        "nothing": 1,
        "form.text_field": "name",
        "language": "tlh",
        "reasons": {"A B": ""},
        "reason.x": "",
        "receipt_days": "7",
        "max_text_chars": 10**9,
        "comments": None,
    },
    "slug": "No Slug",
    "url": "ftp://mail.example",
    "parent": "0-0",
    "comments": [5],
    "decisions": [{"comment": "", "version": 0, "action": "burn", "reason": "A B", "note": " "}, 5],
    "note": " ",
    "redirect_to": "https://elsewhere.example/",
}
# An article that cannot be one counts null there.
ANY_ARTICLE = "count_comments"
BLANKS = ("", "  ", "\u200b")


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> list[Operation]:
    """Give every operation that reads a query, a body or a key."""
    edge = create_app(Settings(data_dir=tmp_path_factory.mktemp("data")))
    assert isinstance(edge, Edge)
    every = read_operations(json.loads(describe_api(edge.table)))
    found = [one for one in every if one.name not in IN_A_PAGE]
    assert len(found) >= 20
    return found


def wrong_json(schema: Mapping[str, Any]) -> object:
    """Give a value that no member may have: none takes a fraction."""
    return [1.5] if schema.get("type") == "array" else 1.5


async def test_everything_of_a_wrong_type_is_named(house: House, operations: list[Operation]) -> None:
    names = await names_of(house)
    for operation in operations:
        if operation.name == ANY_ARTICLE:
            continue
        query = dict.fromkeys(operation.query, "\x00")
        if operation.media == JSON:
            body = {name: wrong_json(schema) for name, schema in operation.members.items()}
        else:
            body = dict.fromkeys(operation.members, "\x00")
        key = "" if operation.has_key else None
        answer = await send(house, operation, names, query, body, key)
        every = {*query, *body, *([KEY] if operation.has_key else [])}
        if operation.media != JSON:
            every -= {HARDLY_REFUSED} - {*query}
        assert named(errors_of(answer)) == every, str(operation)


LONE: list[Any] = ["\ud800", ["\ud800"], {"\ud800": 1}, {"a": ["\ud800"]}, [{"\ud800": 1}]]


@pytest.mark.parametrize("lone", LONE)
async def test_a_lone_surrogate_is_named_wherever_it_lies(
    house: House, operations: list[Operation], lone: object
) -> None:
    names = await names_of(house)
    for operation in operations:
        if operation.media == JSON:
            body = dict.fromkeys(operation.members, lone)
            answer = await send(house, operation, names, {}, body, None)
            assert named(errors_of(answer)) >= set(body), str(operation)


async def test_a_member_that_is_not_known_may_have_any_name(house: House) -> None:
    for content in ('{"name": "script", "\\ud800": 1}', '{"name": "script", "x": "\\ud800"}'):
        made = await house.alice.post("/v1/tokens", content=content, headers={"content-type": JSON})
        assert made.status_code == 201


async def test_everything_that_is_meant_and_wrong_is_named(house: House, operations: list[Operation]) -> None:
    names = await names_of(house)
    for operation in operations:
        if operation.name == ANY_ARTICLE:
            continue
        # An id in the query that is none is 404, as it is in a path.
        meant = {**MEANT, "parent": "\x00", HARDLY_REFUSED: "\x00"}
        query = {name: meant.get(name, "\x00") for name in operation.query}
        if {"site", "article"} <= set(query):
            # Which articles there can be is for the site to say.
            query["site"] = "blog"
        body = {name: MEANT.get(name, "\x00") for name in operation.members}
        key = "x" * 256 if operation.has_key else None
        answer = await send(house, operation, names, query, body, key)
        every = {*query, *body, *([KEY] if operation.has_key else [])}
        every -= {HARDLY_REFUSED} - {*query}
        every -= {"site"} if "blog" in query.values() else set()
        assert named(errors_of(answer)) == every, str(operation)


async def test_everything_within_what_is_sent_is_named(house: House) -> None:
    await names_of(house)
    body = {"origins": MEANT["origins"], "settings": MEANT["settings"], "title": ""}
    answer = await house.alice.patch("/v1/sites/blog", json=body)
    pointers = {error["pointer"] for error in errors_of(answer)}
    settings = {f"#/settings/{name}" for name in MEANT["settings"] if name != "reasons"}
    origins = {f"#/origins/{place}" for place in (1, 2, 3, 4)}
    assert pointers == {"#/title", "#/settings/reasons/A B", *settings, *origins}
    many = {"reasons": {f"r{number}": 5 for number in range(60_000)}}
    answer = await house.alice.patch("/v1/sites/blog", json={"settings": many})
    [error] = errors_of(answer)
    assert error["pointer"] == "#/settings/reasons"
    assert error["detail"] == "At most 50 items are taken; this has 60,000."
    decisions = {"decisions": MEANT["decisions"]}
    answer = await house.bob.post("/v1/moderation/decisions", json=decisions)
    members = ("comment", "version", "action", "reason", "note")
    assert [error["pointer"] for error in errors_of(answer)] == [
        *(f"#/decisions/0/{name}" for name in members),
        "#/decisions/1",
    ]


async def test_what_the_site_as_it_is_forbids_is_named_with_the_rest(house: House) -> None:
    await house.submit()
    known = {f"r{number}": "Text." for number in range(50)}
    stored = await house.alice.patch("/v1/sites/blog", json={"settings": {"reasons": known}})
    assert stored.status_code == 200
    settings = {"reason.one_more": "Text.", "trailing_slash": "keep", "max_depth": -1}
    async with house.nothing_changes():
        answer = await house.alice.patch(
            "/v1/sites/blog", json={"title": "", "origins": [], "settings": settings}
        )
        # By itself it is a conflict, which nothing that is sent could mend.
        alone = {"settings": {"trailing_slash": "keep"}}
        conflict = await house.alice.patch("/v1/sites/blog", json=alone)
    pointers = {error["pointer"] for error in errors_of(answer)}
    assert pointers == {"#/title", "#/origins", *(f"#/settings/{name}" for name in settings)}
    assert conflict.json()["type"] == "/problems/setting-fixed"


@pytest.mark.parametrize("blank", BLANKS)
async def test_what_is_required_and_blank_is_missing(
    house: House, operations: list[Operation], blank: str
) -> None:
    names = await names_of(house)
    for operation in operations:
        # Of a list in the query each is answered by itself.
        asked = [one for one in operation.required_query if operation.query[one]["type"] != "array"]
        query = dict.fromkeys(asked, blank)
        body = dict.fromkeys(operation.required, blank)
        if not query and not body:
            continue
        answer = await send(house, operation, names, query, body, None)
        schemas = {**operation.query, **operation.members}
        codes = {error["code"] for error in errors_of(answer)}
        for name in {*query, *body}:
            is_text = "text" in describe(schemas[name])
            # Blanks may be a password.
            is_verbatim = name == "password" and blank
            if is_text and not is_verbatim:
                assert f"{name}_required" in codes, (str(operation), name)
            elif not is_verbatim:
                assert name in named(errors_of(answer)), (str(operation), name)


def describe(schema: Mapping[str, Any]) -> set[str]:
    """Give `text` for a schema of texts, without those that name a few."""
    is_text = schema.get("type") == "string" and "enum" not in schema
    return {"text"} if is_text else set()


async def test_the_page_of_moderators_names_them_all_too(house: House) -> None:
    headers = {"accept": "text/html"}
    refused = await house.bob.get("/moderation?cursor=!&outcome=x", headers=headers)
    assert refused.status_code == 422
    assert re.findall("<code>(.*?)</code>", refused.text) == ["cursor", "outcome"]


async def test_the_pages_of_signing_in_name_the_fields(house: House) -> None:
    refused = await house.dave.post("/sign-in", data={"email": ""})
    assert re.findall(r"<p>([^<]*): This field is required\.</p>", refused.text) == [
        "E-mail",
        "Password",
    ]
    by_link = await house.dave.post("/sign-in/x", data={"password": "short"})
    assert "<p>New password: This has to be text from 10" in by_link.text


async def test_what_is_asked_for_as_a_page_is_refused_as_a_page(house: House) -> None:
    url = "/v1/sites/blog/comments.html"
    refused = await house.dave.get(f"{url}?view=page&limit=0&order=up&cursor=!")
    assert refused.status_code == 422
    assert refused.headers["content-type"].startswith("text/html")
    assert {"article", "limit", "order", "cursor"} <= set(re.findall("<code>(.*?)</code>", refused.text))
    # To a person it speaks of no JSON.
    assert "<code>errors" not in refused.text
    assert "`errors`" not in refused.text
    # It is seen in the frame that asked for it, and nobody keeps it.
    policy = refused.headers["content-security-policy"]
    assert "frame-ancestors 'self' https://blog.example https://www.blog.example" in policy
    assert refused.headers["cache-control"] == "no-store"
    unknown = await house.dave.get("/v1/sites/nowhere/comments.html?view=page&article=/post")
    assert (unknown.status_code, unknown.headers["content-type"]) == (
        404,
        refused.headers["content-type"],
    )
    for view in ("include", "widget", "x"):
        answer = await house.dave.get(f"{url}?view={view}&limit=0")
        assert answer.headers["content-type"] == "application/problem+json"
