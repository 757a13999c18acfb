"""What changes of sites and their articles take and give."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from service.errors import FieldError
from service.http.fields import NOT_AN_OBJECT
from service.http.tidy import one_line
from service.http.told import CHECK, FIND
from service.http.wire import Article, Slug, Time
from service.sites.articles import check_origin
from service.sites.directory import MAX_ORIGIN_CHARS
from service.sites.policy import SETTINGS_SCHEMA

ArticleState = Literal["open", "closed"]
Title = Annotated[str, one_line(200)]
Origin = Annotated[
    str,
    Meta(
        max_length=MAX_ORIGIN_CHARS,
        examples=["https://blog.example"],
        extra_json_schema={"pattern": r"^\s*[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#@\\%]+/?\s*$"},
        extra={CHECK: check_origin},
    ),
]
Origins = Annotated[list[Origin], Meta(min_length=1, max_length=50)]
# There are a dozen settings, and a text for each of some reasons.
MAX_SETTINGS = 50


def find_setting_errors(raw: object, pointer: str) -> list[FieldError]:
    """Say whether these can be settings at all; each is looked at once the site's own are known."""
    if not isinstance(raw, Mapping):
        return [FieldError("settings_invalid", NOT_AN_OBJECT.detail, pointer)]
    if len(raw) > MAX_SETTINGS:
        detail = f"At most {MAX_SETTINGS} settings are taken at a time; these are {len(raw):,}."
        return [FieldError("settings_too_long", detail, pointer)]
    return []


SiteSettings = Annotated[
    # Whatever they are, until they are looked at; and the schema is ours alone.
    dict[str, Any],
    Meta(
        max_length=MAX_SETTINGS,
        extra_json_schema=SETTINGS_SCHEMA,
        extra={FIND: find_setting_errors},
    ),
]


class CreateSite(msgspec.Struct, frozen=True):
    """A new site; the first origin is its own."""

    slug: Slug
    title: Title
    origins: Origins


class ChangeSite(msgspec.Struct, frozen=True):
    """What to change of a site; `settings` has the names of `greenroom site set`."""

    title: Title | UnsetType = UNSET
    origins: Origins | UnsetType = UNSET
    settings: SiteSettings | UnsetType = UNSET


class SetArticle(msgspec.Struct, frozen=True):
    """Opens or closes an article for comments; on a site with `articles=listed` it lists it as well."""

    article: Article
    state: ArticleState


class ArticleView(msgspec.Struct, frozen=True):
    """An article under its canonical key."""

    article: str
    state: ArticleState
    count: int
    created_at: Time
