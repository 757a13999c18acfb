"""Know what comments are found by, and the edits that wait beside them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("comment", "proposed_edit"):
        op.add_column(table, sa.Column("search", sa.Text(), nullable=True))


def downgrade() -> None:
    for table in ("proposed_edit", "comment"):
        op.drop_column(table, "search")
