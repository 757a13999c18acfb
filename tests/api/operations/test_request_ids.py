"""The id of a request: on its answer, and in every line that the log gets of it."""

import json
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import get

from service.app import create_app
from service.errors import Problem
from tests.api.operations.test_every_answer import every_kind_of_answer
from tests.cast import House
from tests.in_process import alive
from tests.keyboard import type_command
from tests.servers import start_service

PAGE = "/v1/sites/blog/comments?article=/post"


@pytest.mark.parametrize("furnished", ["sqlite"], indirect=True)
async def test_every_answer_has_one_of_its_own(house: House) -> None:
    answers = await every_kind_of_answer(house)
    ids = [one.headers.get_list("x-request-id") for one in answers.values()]
    assert [name for name, found in zip(answers, ids, strict=True) if len(found) != 1] == []
    assert len({one for [one] in ids}) == len(ids)


@pytest.mark.parametrize("furnished", ["sqlite"], indirect=True)
async def test_a_page_from_memory_has_not_that_of_whoever_read_it_first(house: House) -> None:
    await house.publish()
    first, again = [await house.dave.get(PAGE) for _ in range(2)]
    tag = {"If-None-Match": first.headers["etag"]}
    unchanged = await house.dave.get(PAGE, headers=tag)
    assert unchanged.status_code == 304
    answers = (first, again, unchanged, await house.dave.head(PAGE))
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)
    given = await house.dave.get(PAGE, headers={"X-Request-Id": "from.a_proxy-1"})
    assert given.headers.get_list("x-request-id") == ["from.a_proxy-1"]


@pytest.mark.parametrize("furnished", ["sqlite"], indirect=True)
async def test_one_that_is_short_and_plain_is_taken_and_no_other(house: House) -> None:
    for given in ("7", "a" * 64, "0af7651916cd43dd8448eb211c80319c", "From.a_proxy-1"):
        answer = await house.dave.get("/health/live", headers={"X-Request-Id": given})
        assert answer.headers["x-request-id"] == given
    for given in ("", "a" * 65, "two words", "ann@mail.example", "a;b", "<b>", "ä", "a/b"):
        answer = await house.dave.get("/health/live", headers=[(b"X-Request-Id", given.encode())])
        assert len(answer.headers["x-request-id"]) == 32
        assert answer.headers["x-request-id"].isalnum()


@get("/boom")
async def boom() -> None:
    raise RuntimeError("on purpose")


@pytest.mark.parametrize("furnished", ["sqlite"], indirect=True)
async def test_a_fault_of_our_own_is_named_by_it(house: House, caplog: pytest.LogCaptureFixture) -> None:
    app: Any = create_app(house.settings, extra_routes=[boom])
    async with alive(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x.example") as client:
            answer = await client.get("/boom")
    assert answer.status_code == 500
    problem = Problem(**answer.json())
    assert problem.id == answer.headers["x-request-id"]
    assert [line["request_id"] for line in lines_of(caplog, "request failed")] == [problem.id]


def lines_of(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, Any]]:
    records = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    return [line for line in records if line["event"] == event]


def test_every_line_of_a_request_has_it(tmp_path: Path) -> None:
    assert type_command(tmp_path, {}, "migrate").exit_code == 0
    environment = {"GREENROOM_ACCESS_LOG": "on", "GREENROOM_LOG_LEVEL": "info"}
    with start_service(tmp_path, environment) as server:
        for number in range(3):
            headers = {"X-Request-Id": f"page-{number}"}
            httpx.get(f"{server.url}/static/greenroom.css", headers=headers, trust_env=False)
        httpx.get(f"{server.url}/nowhere", headers={"X-Request-Id": "lost"}, trust_env=False)
    lines = [json.loads(line) for line in server.log_text().splitlines()]
    told = {line["request_id"]: line["route"] for line in lines if line["event"] == "request"}
    assert {f"page-{number}" for number in range(3)} | {"lost"} <= set(told)
    # What is no request's has none.
    assert all("request_id" not in line for line in lines if line["event"] != "request")


def test_the_level_says_which_lines_there_are(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert type_command(tmp_path, {}, "migrate").exit_code == 0
    environment = {"GREENROOM_ACCESS_LOG": "on", "GREENROOM_LOG_LEVEL": "WARNING"}
    with start_service(tmp_path, environment) as server:
        httpx.get(f"{server.url}/health/live", trust_env=False)
    assert server.log_text() == ""
