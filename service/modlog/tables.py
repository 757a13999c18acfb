"""Rows of the log: its entries, the free text that may be erased from it, and the head of each chain."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel


class LogEntry(SQLModel, table=True):
    """One thing that was done. Holds ids, codes, times and hashes; never free text, never an address."""

    __tablename__ = "log_entry"
    __table_args__ = (
        UniqueConstraint("site_id", "seq", name="uq_log_entry_seq"),
        # The log of one site is read from its newest entry on.
        Index("ix_log_entry_site", "site_id", "id"),
    )

    id: UUID = Field(primary_key=True)
    # No foreign key: a log outlives what it speaks of, and the installation's own chain has no site.
    site_id: UUID
    seq: int
    at: datetime
    actor_id: UUID | None = None
    action: str
    comment_id: UUID | None = Field(default=None, index=True)
    from_status: str | None = None
    to_status: str | None = None
    version: int | None = None
    reason: str | None = None
    # What was done to something that is no comment, as ids and codes.
    subject: str | None = None
    text_hash: bytes | None = None
    previous: bytes
    mac: bytes


class LogText(SQLModel, table=True):
    """The free text of an entry. Erasing the row leaves the chain whole: the entry holds a salted hash."""

    __tablename__ = "log_text"

    entry_id: UUID = Field(primary_key=True, foreign_key="log_entry.id")
    salt: bytes
    text: str


class LogHead(SQLModel, table=True):
    """The last entry of a site's chain; its row is locked last, which keeps the chain linear."""

    __tablename__ = "log_head"

    site_id: UUID = Field(primary_key=True)
    length: int = 0
    mac: bytes
