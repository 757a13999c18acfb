"""What the public may ask for and see. These fields, and no others, ever leave the house."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from service.errors import FieldError
from service.http.fields import find_errors
from service.http.told import FIND
from service.http.wire import (
    ARTICLE_EXAMPLES,
    Article,
    Cursor,
    Id,
    LanguageTag,
    Time,
)

MAX_COUNTED = 100
# Any text, as long as a request's line may be: what cannot be an article of the site counts null.
AskedArticle = Annotated[str, Meta(examples=ARTICLE_EXAMPLES, extra_json_schema={"pattern": r"^[\s\S]*$"})]
AnsweredId = Annotated[
    str, Meta(max_length=100, description="Show this comment alone, with a form to answer it.")
]
SoughtId = Annotated[
    str,
    Meta(max_length=100, description="Show what stands round this comment, and no cursor with it."),
]
Redirect = Annotated[str, Meta(max_length=2_000, description="Where the form leads a browser afterwards.")]
# Higher than any article comes, and low enough for every database.
MAX_REVISION = 999_999_999


class ListComments(msgspec.Struct, frozen=True):
    """Which comments to list; the article may be left out beside `around`."""

    article: Article | None = None
    order: Literal["oldest", "newest"] = "oldest"
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    cursor: Cursor | None = None
    around: SoughtId | None = None


class ShowFragment(ListComments, frozen=True):
    """Which comments to show as HTML, in which language, and what the HTML is for."""

    lang: LanguageTag | None = None
    view: Annotated[
        Literal["include", "page", "widget"],
        Meta(description="To be taken into a page, to be framed, or for `embed.js`."),
    ] = "include"
    parent: AnsweredId | None = None
    redirect_to: Redirect | None = None


class ShowFeed(msgspec.Struct, frozen=True):
    """Of which article to give a feed; without one it is that of the whole site."""

    article: Article | None = None


class StreamComments(msgspec.Struct, frozen=True):
    """Which article to follow, and from where."""

    article: Article
    after: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=MAX_REVISION,
                description="The revision of the article that is known; without it the stream begins now.",
            ),
        ]
        | None
    ) = None


AskedArticles = Annotated[
    list[AskedArticle],
    Meta(min_length=1, max_length=MAX_COUNTED),
]


def show_asked(raw: str) -> str:
    """Give what was asked for as it can be answered: what is no UTF-8 has replacement characters."""
    return raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def find_asked_errors(raw: list[str], pointer: str) -> list[FieldError]:
    """Say whether any articles are named, and not too many; not what each of them is."""
    asked = [show_asked(one).replace("\x00", "") for one in raw]
    return find_errors(asked, AskedArticles, pointer, is_required=not asked)


class CountComments(msgspec.Struct, frozen=True):
    """The articles to count the comments of; the parameter is repeated."""

    article: Annotated[AskedArticles, Meta(extra={FIND: find_asked_errors})]


class PublicComment(msgspec.Struct, frozen=True, kw_only=True):
    """A comment as everybody sees it; of a tombstone name, url, avatar and html are null."""

    id: Id
    parent: Id | None
    name: str | None
    url: str | None
    avatar: str | None
    html: str | None
    created_at: Time
    edited: bool
    badge: Literal["author", "moderator"] | None


class CommentPage(msgspec.Struct, frozen=True):
    """A page of an article; `count` is that of all its visible comments.

    `previous` and `next` are cursors, under the same order, and null where the list begins and ends.
    """

    article: str
    count: int
    comments: list[PublicComment]
    previous: str | None
    next: str | None


class Counts(msgspec.Struct, frozen=True):
    """How many comments each article has, under the names asked for; null for what cannot be one."""

    counts: dict[str, int | None]
