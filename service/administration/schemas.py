"""What the administration of sites takes and gives."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from service.accounts.schemas import HeldRole
from service.http.wire import Id, Slug, Time

ArticleState = Literal["open", "closed"]
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

    id: Id
    slug: Slug
    title: str
    origins: list[str]
    settings: dict[str, Any]
    role: HeldRole


class SiteList(msgspec.Struct, frozen=True):
    """The sites of a moderator, by slug."""

    sites: list[SiteView]


class SetArticle(msgspec.Struct, frozen=True):
    """Opens or closes an article for comments; on a site with `articles=listed` it lists it as well."""

    article: Annotated[str, Meta(max_length=2_000)]
    state: ArticleState


class ArticleView(msgspec.Struct, frozen=True):
    """An article under its canonical key."""

    article: str
    state: ArticleState
    count: int
    created_at: Time
