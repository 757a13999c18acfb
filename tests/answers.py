"""Reading what the service answers."""

import httpx
import msgspec

from service.errors import Problem


def problem_of(answer: httpx.Response, status: int) -> Problem:
    """Give the problem in an answer, which has to have this status (RFC 9457)."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = msgspec.json.decode(answer.content, type=Problem)
    assert problem.status == status
    return problem


def headers_of(answer: httpx.Response) -> list[tuple[str, str]]:
    """Give all headers but the id of the request, which no two answers share."""
    return [pair for pair in answer.headers.multi_items() if pair[0] != "x-request-id"]


def codes_of(problem: Problem) -> dict[str, str]:
    """Give the code of each invalid field, by its pointer or by the name of its parameter."""
    return {one.pointer or one.parameter or "": one.code for one in problem.errors or []}
