"""Find what became public last, of an article and of a site, by indexes."""

import sqlalchemy as sa

from service.database.migrations import steps

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

PUBLISHED = sa.text("coalesce(published_at, decided_at, submitted_at)")


def upgrade() -> None:
    for name, column in (("ix_comment_feed", "article_id"), ("ix_comment_site_feed", "site_id")):
        steps.create_index(name, "comment", [column, PUBLISHED, "id"], where="visibility = 'visible'")
    steps.create_index(
        "ix_article_changed", "article", ["site_id", "changed_at"], where="changed_at IS NOT NULL"
    )


def downgrade() -> None:
    steps.drop_index("ix_article_changed", "article")
    steps.drop_index("ix_comment_site_feed", "comment")
    steps.drop_index("ix_comment_feed", "comment")
