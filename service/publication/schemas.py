"""What the public may ask for and see. These fields, and no others, ever leave the house."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from service.http.wire import (
    ARTICLE_EXAMPLES,
    MAX_ARTICLE_CHARS,
    SEEN,
    Article,
    Cursor,
    Id,
    LanguageTag,
    Time,
)

MAX_COUNTED = 100
# Any text: what cannot be an article of the site counts null.
AskedArticle = Annotated[str, Meta(max_length=MAX_ARTICLE_CHARS, examples=ARTICLE_EXAMPLES)]
AnsweredId = Annotated[
    str, Meta(max_length=100, description="Show this comment alone, with a form to answer it.")
]
Redirect = Annotated[
    str, Meta(max_length=2_000, description="Where the form leads a browser afterwards.")
]
# Higher than any article comes, and low enough for every database.
MAX_REVISION = 999_999_999


class ListComments(msgspec.Struct, frozen=True):
    """Which comments to list."""

    article: Article
    order: Literal["oldest", "newest"] = "oldest"
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    cursor: Cursor | None = None


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


class CountComments(msgspec.Struct, frozen=True):
    """The articles to count the comments of; the parameter is repeated."""

    article: Annotated[
        list[AskedArticle],
        # One of them at least says something.
        Meta(min_length=1, max_length=MAX_COUNTED, extra_json_schema={"contains": SEEN}),
    ]


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
    """A page of an article; `count` is that of all its visible comments."""

    article: str
    count: int
    comments: list[PublicComment]
    next: str | None


class Counts(msgspec.Struct, frozen=True):
    """How many comments each article has, under the names asked for; null for what cannot be one."""

    counts: dict[str, int | None]
