"""Rows of Idempotency-Keys.

Those of decisions have a table of their own: they belong to a moderator, hold results, and are taken one by
one in the decisions' transaction, while these belong to a site, name a comment and are taken by the batch.
"""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel


class IdempotencyKey(SQLModel, table=True):
    """A key that came with a submission, kept for 24 hours as keyed hashes: never the body or the answer."""

    __tablename__ = "idempotency_key"

    site_id: UUID = Field(primary_key=True, foreign_key="site.id")
    key_hash: bytes = Field(primary_key=True)
    fields_hash: bytes
    # No foreign key: the key is taken before the comment is there.
    comment_id: UUID
    status: int
    created_at: datetime = Field(index=True)
