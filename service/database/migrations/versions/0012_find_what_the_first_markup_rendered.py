"""Find by an index what the markup before the second has rendered."""

from service.database.migrations import steps

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    steps.create_index("ix_comment_markup_2", "comment", ["id"], where="markup < 2")


def downgrade() -> None:
    steps.drop_index("ix_comment_markup_2", "comment")
