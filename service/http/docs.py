"""What a route says of itself beside its types; the OpenAPI document is made from it."""

from collections.abc import Mapping
from enum import Enum

import msgspec

from service.errors import ServiceError
from service.http.reading import JSON

PROBLEM = "application/problem+json"
HTML = "text/html"


class Readers(Enum):
    """Who may read a route's answers from a page of another origin; without any of these nobody may."""

    ANYONE = "anyone"
    SITE = "the site's allowed origins"
    ANY_SITE = "the allowed origins of any site"


class Doc(msgspec.Struct, frozen=True, kw_only=True):
    """The body, the query and the answers of one operation; its words are the handler's docstring."""

    tag: str
    body: type[msgspec.Struct] | None = None
    media: tuple[str, ...] = (JSON,)
    query: type[msgspec.Struct] | None = None
    headers: Mapping[str, str] = {}
    """Request headers by name, each with what it is for."""
    answers: Mapping[int, object] = {}
    """By status: a Struct for JSON, a media type for anything else, None for no body."""
    answer_headers: Mapping[str, str] = {}
    """Headers of the good answers, each with what it says."""
    problems: tuple[type[ServiceError], ...] = ()
    readers: Readers | None = None
    page_problems: bool = False
    """Whether errors may come as an HTML page too."""

    def as_opt(self) -> dict[str, object]:
        """Give the `opt` of a route decorator that carries this."""
        return {"doc": self}
