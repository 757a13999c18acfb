"""Note when a moderator was disabled or removed."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("disabled_at", "removed_at"):
        op.add_column("moderator", sa.Column(name, sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for name in ("removed_at", "disabled_at"):
        op.drop_column("moderator", name)
