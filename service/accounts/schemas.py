"""What signing in, roles and tokens take and give."""

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from service.accounts.passwords import MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS
from service.confidential import Confidential
from service.http.told import CHECK, VERBATIM
from service.http.wire import LINE, LINE_SAID, SEEN_LINE, Id, SiteSlug, Slug, Time
from service.privacy.addresses import check_address

RoleWord = Literal["viewer", "moderator", "owner"]
# As the database holds it.
HeldRole = Annotated[str, Meta(extra_json_schema={"enum": list(get_args(RoleWord))})]

# Of a moderator or of a token.
Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        pattern=LINE,
        extra=LINE_SAID,
        extra_json_schema=SEEN_LINE,
    ),
]
Password = Annotated[
    str,
    Meta(min_length=MIN_PASSWORD_CHARS, max_length=MAX_PASSWORD_CHARS, extra={VERBATIM: True}),
]


class SignIn(Confidential, frozen=True):
    """An address and a password."""

    # The check refuses a longer one, after its form was mended.
    email: Annotated[
        str,
        Meta(
            max_length=1_024,
            extra={CHECK: check_address},
            extra_json_schema={"format": "idn-email"},
        ),
    ]
    password: Annotated[
        str, Meta(min_length=1, max_length=MAX_PASSWORD_CHARS, extra={VERBATIM: True})
    ]


class UseLink(Confidential, frozen=True):
    """The form of a one-time link: optionally a password for the next times."""

    password: Password | None = None


class ModeratorRef(msgspec.Struct, frozen=True):
    """A moderator as others see one."""

    id: Id
    name: str


class SignedIn(msgspec.Struct, frozen=True):
    """The answer to a sign-in; every change by cookie sends the token back as X-CSRF-Token."""

    moderator: ModeratorRef
    csrf_token: str


class NewModerator(msgspec.Struct, frozen=True):
    """What a new account is called; they are made on the command line alone."""

    name: Name


class SetRole(msgspec.Struct, frozen=True):
    """The role that a moderator is to have on a site."""

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
    """One's own tokens that are not revoked, the oldest first."""

    tokens: list[TokenView]
