"""Rows of Idempotency-Keys of decisions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel


class DecisionKey(SQLModel, table=True):
    """A key that came with decisions, with their results: ids, outcomes and versions."""

    __tablename__ = "decision_key"

    moderator_id: UUID = Field(primary_key=True, foreign_key="moderator.id")
    key_hash: bytes = Field(primary_key=True)
    fields_hash: bytes
    results: list[dict[str, Any]] = Field(sa_type=JSON)
    created_at: datetime = Field(index=True)
