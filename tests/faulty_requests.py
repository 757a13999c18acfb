"""Asking every operation of the published document wrongly, and reading what is said about it."""

import json
import re
from collections.abc import Mapping
from typing import Any

import httpx
from sqlmodel import col, update

from service.accounts.tables import Moderator
from tests.cast import House
from tests.operations import KEY, Operation

JSON = "application/json"
URLENCODED = "application/x-www-form-urlencoded"
# Words of validators, regular expressions, and what is not so of a question.
NOT_FOR_PEOPLE = re.compile(
    r"expected|regex|\bstr\b|\bint\b|\bdict\b|\barray\b|length [<>]|[<>]=|[\^$\\]|\[a-z|NoneType|enum"
    r"|codepoint|idna|octet|@-sign|deliver|surrogate",
    re.IGNORECASE,
)


async def names_of(house: House) -> dict[str, str]:
    """Give something for every parameter of a path, and make Alice an admin."""
    async with house.database.writing() as session:
        chosen = update(Moderator).where(col(Moderator.name) == "Alice")
        await session.exec(chosen.values(is_admin=True))
    comment = await house.publish()
    members = (await house.alice.get("/v1/sites/blog/members")).json()["members"]
    return {
        "site": "blog",
        "comment": comment.id,
        "moderator": members[0]["moderator"]["id"],
        "token": comment.receipt.token,
    }


async def send(
    house: House,
    operation: Operation,
    names: Mapping[str, str],
    query: Mapping[str, Any],
    body: Mapping[str, Any],
    key: str | None,
) -> httpx.Response:
    """Send a request that has to be refused as invalid."""
    sent: dict[str, Any] = {"headers": {KEY: key} if key is not None else {}}
    if operation.media == JSON:
        # That of httpx cannot say a lone surrogate.
        sent["content"] = json.dumps(body)
        sent["headers"]["content-type"] = JSON
    elif operation.media == URLENCODED:
        sent["data"] = body
    elif operation.media:
        sent["files"] = [(name, (None, value)) for name, value in body.items()]
    path = operation.path.format_map(names)
    async with house.nothing_changes():
        answer = await house.alice.request(operation.method, path, params=query, **sent)
    assert answer.status_code == 422, (str(operation), answer.status_code, answer.text)
    return answer


def errors_of(answer: httpx.Response) -> list[dict[str, str]]:
    """Give the errors of an answer, having looked at its words."""
    problem = answer.json()
    method = answer.request.method
    assert "Nothing was stored" not in problem["detail"] or method != "GET"
    for error in problem["errors"]:
        assert not NOT_FOR_PEOPLE.search(error["detail"]), error
        assert error["detail"].endswith("."), error
    found: list[dict[str, str]] = problem["errors"]
    return found


def named(errors: list[dict[str, str]]) -> set[str]:
    """Give the parameters and members that errors name."""
    return {one.get("parameter") or one["pointer"].split("/")[1] for one in errors}
