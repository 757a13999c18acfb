"""Words of the wire: types that mean the same in every body, query and path."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from service.http.told import SAID
from service.text.normalising import VISIBLE

# What the document says of a text of which a reader has to see something; the reading finds it by itself.
SEEN = {"pattern": rf"^[^\x00]*{VISIBLE}[^\x00]*$"}
_SEEN_LINE = rf"[^\x00-\x1f\x7f-\x9f]*{VISIBLE}[^\x00-\x1f\x7f-\x9f]*"
# What may be sent as an article: longer than any key, since tracking parameters and escapes may go.
MAX_ARTICLE_CHARS = 4_096
ID_PATTERN = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
ID_EXAMPLES = ["019c2a4e-7b1c-7d3e-9f00-4b5a6c7d8e9f"]
Id = Annotated[
    str,
    Meta(
        description="A UUIDv7 in canonical form.",
        examples=ID_EXAMPLES,
        extra_json_schema={"format": "uuid"},
    ),
]
Slug = Annotated[
    str,
    Meta(
        # Of itself the end of a pattern lies before a last line feed too.
        pattern=r"^[a-z0-9-]{1,63}(?!\n)$",
        description="The slug of a site: lower-case letters, digits and hyphens.",
        examples=["blog"],
        extra={SAID: "a slug: 1 to 63 lower-case letters, digits and hyphens"},
    ),
]
# Any text: what is no site of the caller's is 404.
SiteSlug = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=63,
        description="The slug of a site.",
        examples=["blog"],
        extra_json_schema=SEEN,
    ),
]
ARTICLE_EXAMPLES = ["/2026/11/first-post"]
Article = Annotated[
    str,
    Meta(
        max_length=MAX_ARTICLE_CHARS,
        description="The page's URL, path or key.",
        examples=ARTICLE_EXAMPLES,
        # Not checked here, so that an empty one is told as missing.
        extra_json_schema={"minLength": 1, "pattern": rf"^\s*{_SEEN_LINE}\s*$"},
    ),
]
Time = Annotated[datetime, Meta(tz=True, description="RFC 3339, in UTC.")]
Cursor = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=300,
        pattern=r"^[A-Za-z0-9_-]*(?!\n)$",
        description="The `next` or `previous` of an answer; absent at first.",
        extra={SAID: "the `next` or `previous` of an answer"},
    ),
]
LanguageTag = Annotated[
    str,
    Meta(
        # The longest that BCP 47 has software be ready for.
        max_length=35,
        description="A BCP 47 tag; the site's language where there is none of it here.",
        examples=["pt-BR"],
    ),
]
