"""Bringing the schema up to date, and refusing to serve one that is not."""

from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from service.database import Database

# Of several processes that migrate at once on PostgreSQL, one does and the others wait for it.
ADVISORY_LOCK = 0x67726E726D


class SchemaOutdated(RuntimeError):
    """The database's schema is not the one that this version needs."""


def alembic_config() -> Config:
    """Give Alembic's configuration; there is no alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(files("service") / "migrations"))
    return config


async def migrate(database: Database) -> None:
    """Bring the schema up to date, in one transaction."""
    async with database.writing() as session:
        connection = await session.connection()
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def require_current_schema(database: Database) -> None:
    """Raise SchemaOutdated unless the schema is the newest one of this version."""
    _require_file(database)
    async with database.reading() as session:
        connection = await session.connection()
        found = await connection.run_sync(
            lambda sync: MigrationContext.configure(sync).get_current_revision()
        )
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    if found != head:
        raise SchemaOutdated(
            f"The database is at schema {found or 'none'}, this version needs {head}. "
            "Run `greenroom migrate` first."
        )


def _require_file(database: Database) -> None:
    """Look for the file first: SQLite would make an empty one, or fail in a thread that nobody awaits."""
    file = database.engine.url.database
    if database.is_sqlite and not Path(file or "").is_file():
        raise SchemaOutdated(f"There is no database at {file} yet. Run `greenroom migrate` first.")
