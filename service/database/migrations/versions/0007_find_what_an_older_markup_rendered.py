"""Find by an index what the markup before the first that has a number has rendered."""

from service.database.migrations import steps

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    steps.create_index("ix_comment_markup_1", "comment", ["id"], where="markup < 1")


def downgrade() -> None:
    steps.drop_index("ix_comment_markup_1", "comment")
