"""Alembic's environment: migrations run on the connection that they are handed, each by itself.

On SQLite each runs in the transaction that is open, on PostgreSQL in one of its own or in none (`steps.py`).
"""

from alembic import context

from service.database.migrations.models import METADATA

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    transaction_per_migration=True,
    # SQLite cannot alter columns in place: Alembic copies the table.
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
