"""What signing in, roles and tokens take and give."""

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType

from service.accounts.passwords import MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS
from service.http.tidy import one_line
from service.http.told import CHECK, VERBATIM
from service.http.wire import Cursor, Id, SiteSlug, Slug, Time
from service.privacy.addresses import check_address
from service.sites.schemas import SiteSettings
from service.telemetry.confidential import Confidential

RoleWord = Literal["viewer", "moderator", "owner"]
# As the database holds it.
HeldRole = Annotated[str, Meta(extra_json_schema={"enum": list(get_args(RoleWord))})]

AccountState = Literal["active", "disabled"]
# Of a moderator or of a token.
Name = Annotated[str, one_line(100)]
# The check refuses a longer one, after its form was mended.
Email = Annotated[
    str,
    Meta(
        max_length=1_024,
        extra={CHECK: check_address},
        extra_json_schema={"format": "idn-email"},
    ),
]
Password = Annotated[
    str,
    Meta(min_length=MIN_PASSWORD_CHARS, max_length=MAX_PASSWORD_CHARS, extra={VERBATIM: True}),
]


class SignIn(Confidential, frozen=True):
    """An address and a password."""

    email: Email
    password: Annotated[str, Meta(min_length=1, max_length=MAX_PASSWORD_CHARS, extra={VERBATIM: True})]


class UseLink(Confidential, frozen=True):
    """The form of a one-time link: optionally a password for the next times.

    A new password ends the bearer tokens too, unless `keep_tokens` asks for them to stay.
    """

    password: Password | None = None
    keep_tokens: bool = False


class ModeratorRef(msgspec.Struct, frozen=True):
    """A moderator as others see one."""

    id: Id
    name: str


class SignedIn(msgspec.Struct, frozen=True):
    """The answer to a sign-in; every change by cookie sends the token back as X-CSRF-Token."""

    moderator: ModeratorRef
    csrf_token: str


class NewModerator(msgspec.Struct, frozen=True):
    """What a new account is called."""

    name: Name


class HeldOnSite(msgspec.Struct, frozen=True):
    """A role of a moderator, and the site that it is on."""

    site: Slug
    role: HeldRole


class ModeratorView(msgspec.Struct, frozen=True):
    """An account as admins of the installation see it, without its address."""

    id: Id
    name: str
    state: AccountState
    admin: bool
    has_password: bool
    roles: list[HeldOnSite]
    created_at: Time


class ListPage(msgspec.Struct, frozen=True):
    """Which page of accounts or sites to list."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 200
    cursor: Cursor | None = None


class ModeratorList(msgspec.Struct, frozen=True):
    """A page of the accounts that are not removed, the oldest first."""

    moderators: list[ModeratorView]
    next: str | None


class CreateModerator(Confidential, frozen=True):
    """A new account, which has no role on any site yet."""

    email: Email
    name: Name
    admin: bool = False


class LinkMade(Confidential, frozen=True):
    """A one-time link, shown this once: whoever opens it signs in as the moderator."""

    url: str
    expires_at: Time


class ModeratorMade(Confidential, frozen=True):
    """A new account, and the one-time link by which its owner signs in first."""

    moderator: ModeratorView
    link: LinkMade


class ChangeModerator(msgspec.Struct, frozen=True):
    """What to change of an account. Who is disabled cannot sign in; sessions, links and tokens end."""

    state: AccountState | UnsetType = UNSET
    admin: bool | UnsetType = UNSET


class SignOutEverywhere(msgspec.Struct, frozen=True):
    """Whether the bearer tokens are to end as well as the sessions and open links."""

    tokens: bool = False


class SiteView(msgspec.Struct, frozen=True):
    """A site as its moderators see it; `settings` are all that apply, defaults included."""

    id: Id
    slug: Slug
    title: str
    origins: list[str]
    settings: SiteSettings
    role: HeldRole


class SiteList(msgspec.Struct, frozen=True):
    """A page of the sites of a moderator, by slug."""

    sites: list[SiteView]
    next: str | None


class SetRole(msgspec.Struct, frozen=True):
    """The role that a moderator is to have on a site."""

    role: RoleWord


class AddMember(Confidential, frozen=True):
    """A role for whoever has this address; `name` is for who has no account yet."""

    email: Email
    name: Name
    role: RoleWord


class Member(msgspec.Struct, frozen=True):
    """A moderator with the role on the site."""

    moderator: ModeratorRef
    role: HeldRole
    since: Time


class MemberList(msgspec.Struct, frozen=True):
    """The moderators of a site, by name."""

    members: list[Member]


class CreateToken(msgspec.Struct, frozen=True):
    """A bearer token to be made; `site` and `role` narrow what it may do."""

    name: Name
    site: SiteSlug | None = None
    role: RoleWord | None = None


class ListTokens(msgspec.Struct, frozen=True):
    """Whose tokens to list; without it one's own."""

    moderator: Annotated[str, Meta(max_length=100, description="A moderator's id, for admins.")] | None = None


class TokenView(msgspec.Struct, frozen=True):
    """A bearer token without its text."""

    id: Id
    name: str
    site: Slug | None
    role: HeldRole | None
    created_at: Time
    last_used_at: Time | None


class TokenMade(Confidential, frozen=True):
    """A new bearer token; its text is shown this once."""

    token: str
    details: TokenView


class TokenList(msgspec.Struct, frozen=True):
    """The tokens of a moderator that are not revoked, the oldest first."""

    tokens: list[TokenView]
