"""What the migrations make of an empty database is what the tables say, on both databases."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from service.database.migrations.models import METADATA
from service.database.migrations.patience import Patience
from service.database.migrations.running import migrate, open_for_migrating


# Of SQLite an index over an expression is not read back.
@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_the_schema_is_that_of_the_tables(database_url: str) -> None:
    migrate(database_url)
    engine = open_for_migrating(database_url, Patience())
    try:
        with engine.connect() as connection:
            # Text has several names.
            context = MigrationContext.configure(connection, opts={"compare_type": False})
            assert compare_metadata(context, METADATA) == []
    finally:
        engine.dispose()
