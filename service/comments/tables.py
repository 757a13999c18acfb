"""Rows of articles, comments, proposed edits, and the counters that spare us counting."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from service.comments.rules import STATUSES, Status, Visibility
from service.comments.search import fold_inserted
from service.database import index_of_some

# When a visible comment became so. Of what was let through before that was noted it is the decision.
PUBLISHED = "coalesce(published_at, decided_at, submitted_at)"


class Article(SQLModel, table=True):
    """A page that is commented on. Made by its first submission, or by a site that lists its articles."""

    __tablename__ = "article"
    __table_args__ = (
        UniqueConstraint("site_id", "key", name="uq_article_key"),
        # When anything of a site last changed in public.
        index_of_some("ix_article_changed", "changed_at IS NOT NULL", "site_id", "changed_at"),
    )

    id: UUID = Field(primary_key=True)
    site_id: UUID = Field(foreign_key="site.id")
    key: str
    is_closed: bool = False
    # How many comments of it are visible.
    visible: int = 0
    # Rises with each change of what the public sees of it, which is when it last changed.
    revision: int = 0
    changed_at: datetime | None = None
    created_at: datetime


class Comment(SQLModel, table=True):
    """What a commenter wrote. Its address lies in the vault under the same id."""

    __tablename__ = "comment"
    __table_args__ = (
        CheckConstraint(f"status IN {STATUSES}", name="ck_comment_status"),
        CheckConstraint("visibility IN ('hidden', 'visible', 'tombstone')", name="ck_comment_visibility"),
        # The public page: only what is shown, in the order of ids.
        index_of_some("ix_comment_public", "visibility <> 'hidden'", "article_id", "id"),
        # The feeds of an article and of a whole site.
        *(
            index_of_some(name, "visibility = 'visible'", column, text(PUBLISHED), "id")
            for name, column in (
                ("ix_comment_feed", "article_id"),
                ("ix_comment_site_feed", "site_id"),
            )
        ),
        # The feed of a site as processes of before schema 0008 read it.
        index_of_some("ix_comment_site_public", "visibility = 'visible'", "site_id", "id"),
        # What has changed in public since a revision of the article.
        index_of_some("ix_comment_changes", "public_revision > 0", "article_id", "public_revision"),
        # The queue: of one site, of one article, of all.
        Index("ix_comment_queue", "site_id", "status", "id"),
        Index("ix_comment_article_queue", "article_id", "status", "id"),
        Index("ix_comment_status", "status", "id"),
        index_of_some(
            "ix_comment_risk",
            "status = 'pending'",
            "site_id",
            text("coalesce(risk, -1.0) DESC"),
            "id",
        ),
        index_of_some("ix_comment_parent", "parent_id IS NOT NULL", "parent_id"),
        # Those that are not searched yet.
        index_of_some("ix_comment_unsearched", "search IS NULL", "id"),
        # Those that the markup before this one rendered, and what processes of the version before look by.
        index_of_some("ix_comment_markup_2", "markup < 2", "id"),
        index_of_some("ix_comment_markup_1", "markup < 1", "id"),
        index_of_some("ix_comment_claimed", "claimed_by IS NOT NULL", "claimed_by"),
    )

    id: UUID = Field(primary_key=True)
    site_id: UUID = Field(foreign_key="site.id")
    article_id: UUID = Field(foreign_key="article.id")
    parent_id: UUID | None = Field(default=None, foreign_key="comment.id")
    depth: int = 0
    name: str
    url: str | None = None
    text: str
    html: str
    # The version of the markup that made it; a process that does not know of it leaves it at 0.
    markup: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    # What it is found by, made of what is above; empty where an older process wrote that. It goes with it.
    search: str | None = Field(default=None, sa_column_kwargs={"default": fold_inserted})
    badge: Literal["author", "moderator"] | None = Field(default=None, sa_type=Text)
    status: Status = Field(sa_type=Text)
    visibility: Visibility = Field(default="hidden", sa_type=Text)
    # The revision of the article with which the public last came to see it otherwise; 0 where it never did.
    public_revision: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    # When it last became visible, and when the public last came to see it otherwise.
    published_at: datetime | None = None
    changed_at: datetime | None = None
    version: int = 1
    # Between these versions nobody but the author changed it, by edits. Whatever else raises the version
    # leaves both as they are, so they say something only while the second one is the present one.
    edited_from: int | None = None
    edited_to: int | None = None
    edited: bool = False
    submitted_at: datetime
    decided_at: datetime | None = None
    reason: str | None = None
    risk: float | None = None
    signals: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    # The guard against duplicates; empty once the comment is withdrawn or erased.
    fingerprint: bytes | None = Field(default=None, unique=True)
    # A keyed hash of the day and the client's IP prefix, so that two days cannot be linked.
    client_hash: bytes
    claimed_by: UUID | None = Field(default=None, foreign_key="moderator.id")
    claimed_until: datetime | None = None


class ProposedEdit(SQLModel, table=True):
    """An author's new text for an approved comment, which waits beside it; at most one each."""

    __tablename__ = "proposed_edit"
    __table_args__ = (Index("ix_proposed_edit_queue", "site_id", "comment_id"),)

    comment_id: UUID = Field(primary_key=True, foreign_key="comment.id")
    site_id: UUID = Field(foreign_key="site.id")
    text: str
    html: str
    markup: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    # What the comment is found by with this text.
    search: str | None = None
    submitted_at: datetime


class StatusTally(SQLModel, table=True):
    """How many comments of a site have a status now."""

    __tablename__ = "status_tally"

    site_id: UUID = Field(primary_key=True, foreign_key="site.id")
    status: str = Field(primary_key=True)
    total: int = 0


class DailyTally(SQLModel, table=True):
    """How often something happened on a site on a day (UTC): `submitted`, or an action."""

    __tablename__ = "daily_tally"

    site_id: UUID = Field(primary_key=True, foreign_key="site.id")
    day: date = Field(primary_key=True)
    event: str = Field(primary_key=True)
    total: int = 0
