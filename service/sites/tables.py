"""Rows of sites and of the origins that may embed them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel


class Site(SQLModel, table=True):
    """One tenant; `policy` holds only what differs from the defaults."""

    __tablename__ = "site"

    id: UUID = Field(primary_key=True)
    slug: str = Field(unique=True)
    title: str
    policy: dict[str, object] = Field(default_factory=dict, sa_type=JSON)
    created_at: datetime


class SiteOrigin(SQLModel, table=True):
    """An origin whose pages may post to the site; the one at position 0 is the site's own."""

    __tablename__ = "site_origin"

    site_id: UUID = Field(primary_key=True, foreign_key="site.id")
    position: int = Field(primary_key=True)
    origin: str = Field(index=True)
