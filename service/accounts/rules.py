"""Roles, and what a caller may do with them."""

from collections.abc import Mapping
from enum import IntEnum
from uuid import UUID

import msgspec

from service.clock import parse_id
from service.errors import NotAllowed, NotFound


class Role(IntEnum):
    """What a moderator is on a site; each role holds the rights of those below it."""

    VIEWER = 1
    MODERATOR = 2
    OWNER = 3

    @property
    def word(self) -> str:
        return self.name.lower()


def require_id(text: str) -> UUID:
    """Read the id of something that a path names; raises NotFound."""
    if (found := parse_id(text)) is None:
        raise NotFound
    return found


def parse_role(word: str) -> Role:
    """Read a role by its word; raises KeyError."""
    return Role[word.upper()]


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who sends a request, and how far the credentials reach.

    `roles` are those of the moderator, by site. A bearer token narrows them to `only_site` and to at most
    `ceiling`. `session_hash` is set when the caller came by cookie, `token_id` when by bearer token.
    """

    moderator_id: UUID
    name: str
    is_admin: bool
    roles: Mapping[UUID, Role]
    only_site: UUID | None = None
    ceiling: Role = Role.OWNER
    session_hash: bytes | None = None
    token_id: UUID | None = None

    def role_on(self, site_id: UUID) -> Role | None:
        """Give the role that these credentials carry on a site."""
        if self.only_site not in {None, site_id}:
            return None
        role = Role.OWNER if self.is_admin else self.roles.get(site_id)
        return min(role, self.ceiling) if role else None

    def require(self, site_id: UUID, role: Role) -> None:
        """Raise NotFound for a site that is not the caller's, and NotAllowed for a right that is missing."""
        held = self.role_on(site_id)
        if held is None:
            raise NotFound
        if held < role:
            raise NotAllowed(f"This needs the role {role.word} on the site; you are its {held.word}.")

    def opens_nothing(self, only_site: UUID | None, ceiling: Role | None) -> str | None:
        """Say why a token of the caller's, narrowed so, would reach less than it says; None where it does.

        On a site it has to be as high as the role that it names; on all of them, somewhere.
        """
        if only_site is None:
            is_void = not self.is_admin and not self.roles
            return "without a role on any site it would open nothing" if is_void else None
        held = self.role_on(only_site)
        if held is None:
            return "without a role on the site it would open nothing"
        too_high = ceiling is not None and ceiling > held
        return f"the role on the site is no more than {held.word}" if too_high else None

    def sites(self) -> list[UUID] | None:
        """List the sites that the caller may see; None is every site."""
        if self.only_site:
            return [self.only_site] if self.role_on(self.only_site) else []
        return None if self.is_admin else sorted(self.roles)

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing narrows these credentials: no site and no lower role."""
        return not self.only_site and self.ceiling == Role.OWNER

    def require_whole(self) -> None:
        """Raise NotAllowed when the credentials are a bearer token that reaches less than its moderator."""
        if not self.is_whole:
            raise NotAllowed("This token is limited to a site or a role and cannot do this.")

    def require_admin(self) -> None:
        """Raise NotAllowed unless the caller is an admin whose credentials nothing narrows."""
        self.require_whole()
        if not self.is_admin:
            raise NotAllowed("This needs an admin of the installation.")
