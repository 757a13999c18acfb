"""What the administration of sites takes and gives."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

Slug = Annotated[
    str, Meta(pattern=r"^[a-z0-9-]{1,63}$", description="Lower-case letters, digits and hyphens.")
]
Title = Annotated[str, Meta(min_length=1, max_length=200)]
Origins = Annotated[list[Annotated[str, Meta(max_length=300)]], Meta(min_length=1, max_length=50)]


class CreateSite(msgspec.Struct, frozen=True):
    """A new site; the first origin is its own."""

    slug: Slug
    title: Title
    origins: Origins


class ChangeSite(msgspec.Struct, frozen=True):
    """What to change of a site; `settings` has the names of `greenroom site set`."""

    title: Title | UnsetType = UNSET
    origins: Origins | UnsetType = UNSET
    settings: dict[str, Any] | UnsetType = UNSET


class SiteView(msgspec.Struct, frozen=True):
    """A site as its moderators see it; `settings` are all that apply, defaults included."""

    id: str
    slug: str
    title: str
    origins: list[str]
    settings: dict[str, Any]
    role: str


class SiteList(msgspec.Struct, frozen=True):
    """The sites of a moderator, by slug."""

    sites: list[SiteView]


class SetArticle(msgspec.Struct, frozen=True):
    """Opens or closes an article for comments; on a site with `articles=listed` it lists it as well."""

    article: Annotated[str, Meta(max_length=2_000)]
    state: Annotated[str, Meta(pattern="^(open|closed)$")]


class ArticleView(msgspec.Struct, frozen=True):
    """An article under its canonical key."""

    article: str
    state: str
    count: int
    created_at: datetime
