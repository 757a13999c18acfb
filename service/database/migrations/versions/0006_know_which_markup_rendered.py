"""Know which version of the markup has rendered a text."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("comment", "proposed_edit"):
        version = sa.Column("markup", sa.Integer(), server_default=sa.text("0"), nullable=False)
        op.add_column(table, version)


def downgrade() -> None:
    for table in ("proposed_edit", "comment"):
        op.drop_column(table, "markup")
