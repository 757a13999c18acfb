"""The answers of an operation: the good ones, and every problem that it may be refused with."""

from collections.abc import Iterable
from typing import Any

from service.errors import (
    BodyNotReadable,
    BodyTooLarge,
    CsrfTokenMissing,
    HeadersTooLong,
    Invalid,
    MediaTypeNotSupported,
    NotFound,
    NotSignedIn,
    Problem,
    RateLimited,
    RequestLineTooLong,
    RequestNotReadable,
    RequestTooSlow,
    ServiceError,
    Unavailable,
)
from service.http.docs import HTML, PROBLEM, Doc, Headers, describe_header
from service.http.openapi.schemas import Schemas
from service.http.reading import JSON
from service.http.routing import Route
from service.http.told import is_struct

# What any operation may answer besides its own problems.
ALWAYS = (
    RequestNotReadable,
    RequestTooSlow,
    RequestLineTooLong,
    HeadersTooLong,
    ServiceError,
    Unavailable,
)
WITH_BODY = (BodyNotReadable, BodyTooLarge, MediaTypeNotSupported)

RETRY_AFTER: Headers = {
    "Retry-After": describe_header(
        "Seconds until the next try can pass.", always=True, type="integer", minimum=0
    )
}
PROBLEM_HEADERS: dict[int, Headers] = {
    NotSignedIn.status: {"WWW-Authenticate": describe_header("The scheme that would do.", always=True)},
    RateLimited.status: {
        **RETRY_AFTER,
        "RateLimit-Policy": describe_header(
            "The rule that refused: its name, quota and window in seconds.",
            always=True,
            examples=['"ip";q=10;w=60'],
        ),
        "RateLimit": describe_header(
            "The rule that refused: what remains, and the seconds until there is more.",
            always=True,
            examples=['"ip";r=0;t=6'],
        ),
    },
    Unavailable.status: RETRY_AFTER,
}
SEE_OTHER = 303
CREATED = 201
LOCATIONS: dict[int, Headers] = {
    CREATED: {"Location": describe_header("The path of what was made.", always=True)},
    SEE_OTHER: {"Location": describe_header("Where to go on, with a GET.", always=True)},
}
WORDS = {304: "The copy at hand is still good.", SEE_OTHER: "To the next page."}


class SharedResponses:
    """The bad answers, each described once however many operations give it."""

    def __init__(self, schemas: Schemas) -> None:
        self.components: dict[str, Any] = {}
        self._schemas = schemas

    def of(self, route: Route, doc: Doc, *, is_guarded: bool, is_safe: bool) -> dict[str, Any]:
        """Give all answers of an operation, by status."""
        good = {status: self._good(status, answer, doc) for status, answer in doc.answers.items()}
        by_status: dict[int, list[type[ServiceError]]] = {}
        for kind in dict.fromkeys(_problems(route, doc, is_guarded, is_safe)):
            by_status.setdefault(kind.status, []).append(kind)
        bad = {status: self._bad(kinds, doc) for status, kinds in by_status.items()}
        return {str(status): answer for status, answer in sorted({**bad, **good}.items())}

    def _good(self, status: int, answer: Any, doc: Doc) -> dict[str, Any]:
        words = WORDS.get(status, "Done." if answer is None else "The answer.")
        response: dict[str, Any] = {"description": words}
        if is_struct(answer):
            response["content"] = {JSON: {"schema": self._schemas.refer(answer)}}
        elif answer:
            response["content"] = {answer: {"schema": {"type": "string"}}}
        # A redirect has none of the headers of a good answer.
        more = doc.answer_headers if status != SEE_OTHER else {}
        if headers := {**more, **LOCATIONS.get(status, {})}:
            response["headers"] = headers
        return response

    def _bad(self, kinds: list[type[ServiceError]], doc: Doc) -> dict[str, Any]:
        """Describe the problems of one status once and refer to that."""
        parts = [str(kinds[0].status), *(kind.slug for kind in kinds)]
        name = ".".join([*parts, "page"] if doc.page_problems else parts)
        if name not in self.components:
            self.components[name] = self._describe(kinds, doc.page_problems)
        return {"$ref": f"#/components/responses/{name}"}

    def _describe(self, kinds: list[type[ServiceError]], as_page_too: bool) -> dict[str, Any]:
        status = kinds[0].status
        these = {
            "type": {"enum": [f"/problems/{kind.slug}" for kind in kinds]},
            "status": {"const": status},
        }
        problem = {
            "schema": {"allOf": [self._schemas.refer(Problem), {"properties": these}]},
            "examples": {kind.slug: {"summary": kind.title, "value": kind().to_problem()} for kind in kinds},
        }
        page = {HTML: {"schema": {"type": "string"}}} if as_page_too else {}
        words = "; ".join(f"`{kind.slug}`: {kind.title}" for kind in kinds)
        response: dict[str, Any] = {"description": words, "content": {PROBLEM: problem, **page}}
        if headers := PROBLEM_HEADERS.get(status):
            response["headers"] = headers
        return response


def _problems(route: Route, doc: Doc, is_guarded: bool, is_safe: bool) -> Iterable[type[ServiceError]]:
    # What a path names may not be there, or be another's.
    yield from (NotFound,) if route.pattern.groups else ()
    yield from (Invalid,) if doc.query or doc.body else ()
    yield from (*doc.common, *doc.problems)
    yield from WITH_BODY if doc.body else ()
    if is_guarded:
        yield NotSignedIn
        yield from () if is_safe else (CsrfTokenMissing,)
    yield from ALWAYS
