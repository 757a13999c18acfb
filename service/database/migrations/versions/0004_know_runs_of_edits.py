"""Know between which versions of a comment nobody but its author changed it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("comment", sa.Column("edited_from", sa.Integer(), nullable=True))
    op.add_column("comment", sa.Column("edited_to", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("comment", "edited_to")
    op.drop_column("comment", "edited_from")
