"""What the administration of sites takes and gives."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from service.accounts.schemas import HeldRole
from service.http.tidy import one_line
from service.http.wire import Article, Cursor, Id, Slug, Time
from service.sites.policy import SETTINGS_SCHEMA, SettingValue

ArticleState = Literal["open", "closed"]
Title = Annotated[str, one_line(200)]
Origins = Annotated[list[Annotated[str, Meta(max_length=300)]], Meta(min_length=1, max_length=50)]
# There are a dozen settings, and a text for each of some reasons.
MAX_SETTINGS = 50
Settings = Annotated[
    dict[str, SettingValue], Meta(max_length=MAX_SETTINGS, extra_json_schema=SETTINGS_SCHEMA)
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
    settings: Settings | UnsetType = UNSET


class SiteView(msgspec.Struct, frozen=True):
    """A site as its moderators see it; `settings` are all that apply, defaults included."""

    id: Id
    slug: Slug
    title: str
    origins: list[str]
    settings: Settings
    role: HeldRole


class ListSites(msgspec.Struct, frozen=True):
    """Which page of one's sites to list."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 200
    cursor: Cursor | None = None


class SiteList(msgspec.Struct, frozen=True):
    """A page of the sites of a moderator, by slug."""

    sites: list[SiteView]
    next: str | None


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
