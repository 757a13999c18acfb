"""What a route says of itself beside its types; the OpenAPI document is made from it."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

import msgspec

from service.errors import ServiceError
from service.http.reading import JSON, MAX_KEY_CHARS

PROBLEM = "application/problem+json"
HTML = "text/html"


class Readers(Enum):
    """Who may read a route's answers from a page of another origin; without any of these nobody may."""

    ANYONE = "anyone"
    SITE = "the site's allowed origins"
    ANY_SITE = "the allowed origins of any site"


Headers = Mapping[str, Mapping[str, object]]


def describe_header(words: str, *, always: bool = False, **schema: object) -> Mapping[str, object]:
    """Describe a header of a request or an answer: what it says, and whether it is always there."""
    return {"description": words, "required": always, "schema": {"type": "string", **schema}}


IDEMPOTENCY_KEY: Headers = {
    "Idempotency-Key": describe_header(
        "Repeating a request with its key gets the first answer again.",
        minLength=1,
        maxLength=MAX_KEY_CHARS,
    )
}
IDEMPOTENCY_REPLAYED: Headers = {
    "Idempotency-Replayed": describe_header(
        "There when this is the answer to an earlier request with the same key.", const="true"
    )
}


class PathTypes(dict[str, Any]):
    """Types of parameters in a path, by their names."""

    def __deepcopy__(self, memo: object) -> "PathTypes":
        # The framework copies what a router says, and constraints of msgspec cannot be copied.
        return self


class Doc(msgspec.Struct, frozen=True, kw_only=True):
    """What a route and the routers around it say in their `opt`; the words are the handler's docstring.

    A decorator of the framework takes each of these as an argument of its own, and a router in its `opt`:
    what a router says holds for its routes unless they say otherwise.
    """

    tag: str | None = None
    """The part of the API's document that it stands in; without one it stands nowhere."""
    path_types: PathTypes = PathTypes()
    """Types of parameters in the path that are not what their name means elsewhere."""
    body: type[msgspec.Struct] | None = None
    media: tuple[str, ...] = (JSON,)
    aliases: Mapping[str, str] = {}
    """Other names that members of the body may come under, each with our own."""
    alias_values: Mapping[str, tuple[object, ...]] = {}
    """What other names take beside what ours take."""
    query: type[msgspec.Struct] | None = None
    headers: Headers = {}
    """Headers of the request that the operation heeds."""
    answers: Mapping[int, object] = {}
    """By status: a Struct for JSON, a media type for anything else, None for no body."""
    answer_headers: Headers = {}
    """Headers of the good answers but redirects, which have their own."""
    common: tuple[type[ServiceError], ...] = ()
    """The problems of all routes of a router."""
    problems: tuple[type[ServiceError], ...] = ()
    """Its own, beside those that follow from its path, its query, its body and its guard."""
    readers: Readers | None = None
    page_problems: bool = False
    """Whether errors may come as an HTML page too."""
    refuses: bool = False
    """Whether it does nothing but say why a method does not work."""
