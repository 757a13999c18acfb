"""Bringing the schema up to date, and refusing to serve one that is not."""

from importlib.resources import files
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from service.database import Database

# Of several processes that migrate at once on PostgreSQL, one does and the others wait for it.
ADVISORY_LOCK = 0x67726E726D
MIGRATIONS = files("service") / "migrations"
VERSIONS = MIGRATIONS / "versions"


class SchemaOutdated(RuntimeError):
    """The database's schema is not the one that this version needs."""


def newest_revision() -> str:
    """Name the newest revision; the name of each revision's file begins with it, and they are in order."""
    return max(str(file.name) for file in VERSIONS.iterdir() if file.name[0].isdigit()).split("_")[
        0
    ]


async def migrate(database: Database) -> None:
    """Bring the schema up to date, in one transaction."""
    async with database.writing() as session:
        connection = await session.connection()
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    # Serving never migrates, and without Alembic it starts sooner and takes 10 MiB less.
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def require_current_schema(database: Database) -> None:
    """Raise SchemaOutdated unless the schema is the newest one of this version."""
    _require_file(database)
    async with database.reading() as session:
        connection = await session.connection()
        found = await connection.run_sync(_current_revision)
    newest = newest_revision()
    if found != newest:
        raise SchemaOutdated(
            f"The database is at schema {found or 'none'}, this version needs {newest}. "
            "Run `greenroom migrate` first."
        )


def _current_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _require_file(database: Database) -> None:
    """Look for the file first: SQLite would make an empty one, or fail in a thread that nobody awaits."""
    file = database.engine.url.database
    if database.is_sqlite and not Path(file or "").is_file():
        raise SchemaOutdated(f"There is no database at {file} yet. Run `greenroom migrate` first.")
