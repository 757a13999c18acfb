"""Find by an index the comments of which it is not known yet what they are found by."""

from service.database.migrations import steps

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    steps.create_index("ix_comment_unsearched", "comment", ["id"], where="search IS NULL")


def downgrade() -> None:
    steps.drop_index("ix_comment_unsearched", "comment")
