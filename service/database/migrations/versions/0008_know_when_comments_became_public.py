"""Know when a comment became public, and when it and its article last changed in public.

Of what is public by now the decision tells it, so no row has to be written for that.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COLUMNS = (("comment", "published_at"), ("comment", "changed_at"), ("article", "changed_at"))


def upgrade() -> None:
    for table, name in COLUMNS:
        op.add_column(table, sa.Column(name, sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for table, name in reversed(COLUMNS):
        op.drop_column(table, name)
