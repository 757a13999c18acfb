"""Follow what changes in public, comment by comment, and let edits wait in their site's queue."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "comment",
        sa.Column("public_revision", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    # Made anew, since nothing has written to it so far.
    op.drop_table("proposed_edit")
    op.create_table(
        "proposed_edit",
        sa.Column("comment_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["comment_id"], ["comment.id"]),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"]),
        sa.PrimaryKeyConstraint("comment_id"),
    )
    op.create_index("ix_proposed_edit_queue", "proposed_edit", ["site_id", "comment_id"], unique=False)


def downgrade() -> None:
    op.drop_table("proposed_edit")
    op.create_table(
        "proposed_edit",
        sa.Column("comment_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["comment_id"], ["comment.id"]),
        sa.PrimaryKeyConstraint("comment_id"),
    )
    op.drop_column("comment", "public_revision")
