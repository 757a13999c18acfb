"""Find what changes in public, and what of a whole site is public, by indexes."""

from service.database.migrations import steps

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    steps.create_index(
        "ix_comment_changes",
        "comment",
        ["article_id", "public_revision"],
        where="public_revision > 0",
    )
    steps.create_index("ix_comment_site_public", "comment", ["site_id", "id"], where="visibility = 'visible'")


def downgrade() -> None:
    steps.drop_index("ix_comment_site_public", "comment")
    steps.drop_index("ix_comment_changes", "comment")
