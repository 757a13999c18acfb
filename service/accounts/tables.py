"""Rows of moderators, their roles, and the three ways in: session, bearer token, one-time link."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel


class Moderator(SQLModel, table=True):
    """A person who decides. The address lies in the vault under the same id, until the account is removed.

    One that is disabled may not come in; one that is removed is there for the log alone, by id and name.
    """

    __tablename__ = "moderator"

    id: UUID = Field(primary_key=True)
    name: str
    password_hash: str | None = None
    is_admin: bool = False
    created_at: datetime
    disabled_at: datetime | None = None
    removed_at: datetime | None = None


class Membership(SQLModel, table=True):
    """The role of a moderator on a site."""

    __tablename__ = "membership"
    __table_args__ = (CheckConstraint("role IN ('viewer', 'moderator', 'owner')", name="ck_membership_role"),)

    site_id: UUID = Field(primary_key=True, foreign_key="site.id")
    moderator_id: UUID = Field(primary_key=True, foreign_key="moderator.id", index=True)
    role: str
    created_at: datetime


class SignInSession(SQLModel, table=True):
    """A browser that is signed in, under the hash of its cookie."""

    __tablename__ = "sign_in_session"

    token_hash: bytes = Field(primary_key=True)
    moderator_id: UUID = Field(foreign_key="moderator.id")
    created_at: datetime
    last_used_at: datetime = Field(index=True)


class BearerToken(SQLModel, table=True):
    """A script's way in, stored as its hash; it may be limited to one site and to a lower role."""

    __tablename__ = "bearer_token"

    id: UUID = Field(primary_key=True)
    token_hash: bytes = Field(unique=True)
    moderator_id: UUID = Field(foreign_key="moderator.id", index=True)
    name: str
    site_id: UUID | None = Field(default=None, foreign_key="site.id")
    role: str | None = None
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class OneTimeLink(SQLModel, table=True):
    """A link that signs a moderator in once, under the hash of its token."""

    __tablename__ = "one_time_link"

    token_hash: bytes = Field(primary_key=True)
    moderator_id: UUID = Field(foreign_key="moderator.id")
    expires_at: datetime
    used_at: datetime | None = None
