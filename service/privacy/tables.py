"""Rows of the vault: wrapped keys, sealed addresses, and what an author's comments came to."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from service.database import index_of_some


class DataKey(SQLModel, table=True):
    """A random key, wrapped by the secret key; `purpose` is `address` (rotates) or `signing` (stays)."""

    __tablename__ = "data_key"

    id: UUID = Field(primary_key=True)
    purpose: str
    wrapped: bytes
    created_at: datetime


class SealedAddress(SQLModel, table=True):
    """One address; `id` is that of the comment or moderator it belongs to, and is sealed with it."""

    __tablename__ = "sealed_address"
    __table_args__ = (
        Index("ix_sealed_address_author", "site_id", "author_index"),
        # The rotation walks the rows of an old key in the order of their ids.
        Index("ix_sealed_address_key", "key_id", "id"),
        index_of_some("uq_sealed_address_moderator", "site_id IS NULL", "author_index", unique=True),
    )

    id: UUID = Field(primary_key=True)
    site_id: UUID | None = Field(default=None, foreign_key="site.id")
    # The foreign key keeps a data key from being deleted while an address needs it.
    key_id: UUID = Field(foreign_key="data_key.id")
    sealed: bytes
    author_index: bytes


# What is counted of an author, by status.
AUTHOR_COUNTS = ("approved", "rejected", "spam")


class AuthorTally(SQLModel, table=True):
    """How many comments of one author, known by the keyed index alone, ended how on one site."""

    __tablename__ = "author_tally"

    site_id: UUID = Field(primary_key=True, foreign_key="site.id")
    author_index: bytes = Field(primary_key=True)
    approved: int = 0
    rejected: int = 0
    spam: int = 0
