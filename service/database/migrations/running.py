"""Bringing the schema up to date, and refusing to serve one that is not."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.resources import files
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from service.database import Bounds, Database
from service.database.engines import open_for_writing
from service.database.health import Health
from service.database.migrations.alone import alone
from service.database.migrations.patience import Patience, Tell, say_nothing
from service.database.migrations.refusals import (
    AGAIN,
    MigrationFailed,
    SchemaOutdated,
    code_of,
    explain,
    refuse_newer,
)
from service.database.migrations.watching import Watch
from service.database.sqlite import DatabaseFile

MIGRATIONS = files("service.database") / "migrations"
VERSIONS = MIGRATIONS / "versions"
# Somebody has a lock that we need, or waits for one of ours while we wait for his.
IN_THE_WAY = {"55P03", "40P01", "SQLITE_BUSY"}
# What a role or a database may have as its own defaults is not meant for what takes as long as it takes.
_SESSION = text(
    "SELECT set_config(name, CASE name WHEN 'lock_timeout' THEN :lock"
    " WHEN 'application_name' THEN 'greenroom migrate' ELSE '0' END, false) FROM pg_settings WHERE name IN"
    " ('lock_timeout', 'transaction_timeout', 'idle_session_timeout', 'application_name')"
)
# Steps of SQLite's machine between two looks at signals.
_OPCODES = 1_000_000


def list_revisions() -> list[str]:
    """Name all revisions in order; the name of each revision's file begins with it."""
    names = (file.name for file in VERSIONS.iterdir() if file.name[0].isdigit())
    return sorted(name.split("_")[0] for name in names)


def newest_revision() -> str:
    """Name the newest revision."""
    return list_revisions()[-1]


def migrate(url: str, *, tell: Tell = say_nothing, patience: Patience | None = None) -> None:
    """Bring the schema up to date, one migration after the other, while others work.

    What takes long is told. Raises MigrationFailed, or SchemaOutdated for a schema of a newer version.
    """
    patience = patience or Patience()
    watch = Watch(tell, patience.tell_seconds)
    with (
        _opened(url, patience) as engine,
        engine.connect() as connection,
        _opened(url, patience) as second,
    ):
        if engine.dialect.name == "sqlite":
            _hear_signals(connection)
            with watch.looking(second, None):
                _do_all(connection, watch, tell, patience)
            return
        pid = _prepare_postgres(connection, patience)
        with alone(connection, tell, patience), watch.looking(second, pid):
            _do_all(connection, watch, tell, patience)


def open_for_migrating(url: str, patience: Patience) -> Engine:
    """Make an engine for one connection, on which nothing is bounded but waiting for locks."""
    parsed = make_url(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    bounds = Bounds(
        patience_seconds=None,
        lock_seconds=patience.lock_seconds,
        statement_seconds=None,
        # A process that is frozen inside a transaction must not keep a table from all others.
        idle_seconds=10.0,
    )
    return open_for_writing(
        parsed, bounds, Health(DatabaseFile(parsed.database or "") if is_sqlite else None)
    )


@contextmanager
def _opened(url: str, patience: Patience) -> Iterator[Engine]:
    engine = open_for_migrating(url, patience)
    try:
        yield engine
    finally:
        engine.dispose()


def _prepare_postgres(connection: Connection, patience: Patience) -> int:
    """Set what holds for this connection alone, and give its process on the server."""
    connection.execute(_SESSION, {"lock": f"{patience.lock_seconds * 1_000:.0f}ms"})
    pid: int = connection.scalar(text("SELECT pg_backend_pid()"))
    # Else the settings would go with the transaction.
    connection.commit()
    return pid


def _hear_signals(connection: Connection) -> None:
    """Let signals be heard inside of a long statement of SQLite, which ends as interrupted then."""
    driver = cast(sqlite3.Connection, connection.connection.driver_connection)
    driver.set_progress_handler(lambda: 0, _OPCODES)


def _do_all(connection: Connection, watch: Watch, tell: Tell, patience: Patience) -> None:
    while _do_next(connection, watch, tell, patience):
        pass


def _do_next(connection: Connection, watch: Watch, tell: Tell, patience: Patience) -> bool:
    """Do the next migration, if there is one, as soon as nobody is in its way."""
    pauses = iter(patience.pauses)
    while True:
        try:
            return _do(connection, watch, patience)
        except (DBAPIError, PendingRollbackError) as raised:
            connection.rollback()
            error = _find_cause(raised)
            if error is None or code_of(error) == "SQLITE_INTERRUPT":
                raise KeyboardInterrupt from None
            if code_of(error) not in IN_THE_WAY:
                raise explain(error, watch.doing) from None
            who = watch.blocked_by or "somebody"
            if (pause := next(pauses, None)) is None:
                raise MigrationFailed(
                    f"{watch.doing}: {who} had a lock that it needs, at every try. "
                    f"Wait for that to end, or end it. {AGAIN}"
                ) from None
            tell(f"{watch.doing}: {who} has a lock that it needs; trying again in {pause:g} s")
            time.sleep(pause)


def _find_cause(raised: BaseException | None) -> DBAPIError | None:
    """Give what the database said first; None for a signal.

    What ends a statement takes its connection away, and then Alembic fails to set it back.
    """
    while raised is not None and not isinstance(raised, DBAPIError):
        raised = raised.__context__
    return raised


def _do(connection: Connection, watch: Watch, patience: Patience) -> bool:
    is_sqlite = connection.dialect.name == "sqlite"
    watch.begin("The migration")
    # On SQLite this is where others are kept out, also others who migrate.
    with connection.begin() if is_sqlite else nullcontext():
        revision = _find_next(connection)
        if revision is None:
            return False
        watch.begin(f"Migration {revision}")
        if not is_sqlite:
            # It begins transactions of its own, or does without; a try that failed may have left its bounds.
            connection.rollback()
            _prepare_postgres(connection, patience)
        _upgrade(connection, revision)
    return True


def _find_next(connection: Connection) -> str | None:
    found, known = _current_revision(connection), list_revisions()
    if found is None:
        return known[0]
    if found not in known:
        raise refuse_newer(found)
    return next((one for one in known if one > found), None)


def _upgrade(connection: Connection, revision: str) -> None:
    # Serving never migrates, and without Alembic it starts sooner and takes 10 MiB less.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def require_current_schema(database: Database) -> None:
    """Raise SchemaOutdated unless the schema is the newest one of this version."""
    _require_file(database)
    async with database.reading() as session:
        connection = await session.connection()
        found = await connection.run_sync(_current_revision)
    newest = newest_revision()
    if found is None:
        raise SchemaOutdated("The database is empty. Run `greenroom migrate` first.")
    if found not in list_revisions():
        raise refuse_newer(found)
    if found != newest:
        raise SchemaOutdated(
            f"The database is at schema {found}, this version needs {newest}. Run `greenroom migrate` first."
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
