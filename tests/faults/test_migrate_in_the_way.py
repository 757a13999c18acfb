"""Migrations beside others: nobody is held up for long, and whoever is in the way is named."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from msgspec.structs import replace
from psycopg import sql

from service.database import Database
from service.database.migrations.refusals import AGAIN, MigrationFailed, SchemaOutdated
from service.database.migrations.running import migrate, newest_revision, require_current_schema
from tests.migrating import QUICK, bystander, migrate_to, migrating

# The settings of the migrating session at each of its statements that change the schema.
WATCH = """
CREATE TABLE seen (statement_timeout text, lock_timeout text, concurrent bool);
CREATE FUNCTION see() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO seen SELECT current_setting('statement_timeout'), current_setting('lock_timeout'),
    current_query() LIKE '%CONCURRENTLY%';
END $$;
CREATE EVENT TRIGGER see ON ddl_command_end EXECUTE FUNCTION see();
"""


@pytest.fixture
def url(postgres_url: str) -> str:
    return postgres_url.replace("postgresql:", "postgresql+psycopg:")


def name_of(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


def version(url: str) -> object:
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return found[0] if found else None


def test_bounds_that_others_set_do_not_end_a_long_step(postgres_url: str, url: str) -> None:
    name = sql.Identifier(name_of(postgres_url))
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(WATCH)
        # Enough to say that one wants others.
        for setting in ("statement_timeout", "lock_timeout"):
            bound = sql.SQL("ALTER DATABASE {} SET {} = 500").format(name, sql.Identifier(setting))
            connection.execute(bound)
    migrate(url)
    with psycopg.connect(postgres_url, options="-c statement_timeout=0") as connection:
        seen = connection.execute("SELECT DISTINCT * FROM seen").fetchall()
    # What keeps others out asks for little time, and what does not waits as long as it takes.
    assert set(seen) == {("0", "2s", False), ("0", "0", True)}


def test_a_lock_that_somebody_keeps_is_named_and_does_not_stop_all_others(
    postgres_url: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate_to(url, "0001", monkeypatch)
    with bystander(url, "SELECT count(*) FROM comment") as other:
        with pytest.raises(MigrationFailed) as refused:
            migrate(url, patience=QUICK)
        told = str(refused.value)
        assert told.startswith(f"Migration 0002: process {other.info.backend_pid} (")
        assert "bystander, idle in transaction, for " in told
        assert told.endswith(AGAIN)
        with psycopg.connect(postgres_url, options="-c lock_timeout=1s") as reader:
            reader.execute("SELECT count(*) FROM comment")
    assert version(postgres_url) == "0001"
    migrate(url)
    assert version(postgres_url) == newest_revision()


def test_it_tries_again_until_the_lock_is_free(
    postgres_url: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate_to(url, "0001", monkeypatch)
    with migrating(url, replace(QUICK, pauses=(0.01,) * 20)) as start:
        with bystander(url, "SELECT count(*) FROM comment"):
            running = start()
            running.tells("has a lock that it needs; trying again in 0.01 s")
        running.done.result()
    assert version(postgres_url) == newest_revision()


def test_a_long_step_says_how_far_it_is_and_whom_it_waits_for(url: str) -> None:
    with migrating(url) as start:
        with bystander(url) as other:
            running = start()
            running.tells("Migration 0003: ix_comment_changes: waiting for old snapshots")
            running.tells(f"waits for process {other.info.backend_pid} (")
        running.done.result()


def test_of_two_at_once_one_waits_and_says_so(postgres_url: str, url: str) -> None:
    with migrating(url, replace(QUICK, turn_seconds=60)) as start:
        with bystander(url):
            first = start()
            first.tells("waiting for old snapshots")
            second = start()
            second.tells("Another `greenroom migrate` is running (process ")
            assert not first.done.done()
            # One that does not want to wait any longer says who it is that it waited for.
            with pytest.raises(MigrationFailed, match=r"still running, as process \d+ of PostgreSQL"):
                migrate(url, patience=QUICK)
        first.done.result()
        second.done.result()
    assert version(postgres_url) == newest_revision()


def test_a_role_without_the_right_is_told_so(postgres_url: str, url: str) -> None:
    database = name_of(postgres_url)
    role = sql.Identifier(f"{database}_role")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {}").format(role))
        connection.execute(sql.SQL("ALTER DATABASE {} SET role = {}").format(sql.Identifier(database), role))
    try:
        with pytest.raises(MigrationFailed, match=r"permission denied for schema public.*GRANT"):
            migrate(url)
    finally:
        with psycopg.connect(postgres_url, autocommit=True, options="-c role=none") as connection:
            connection.execute(sql.SQL("DROP ROLE {}").format(role))


async def test_a_schema_of_a_newer_version_is_left_to_that_version(database_url: str) -> None:
    migrate(database_url)
    database = Database(database_url)
    try:
        async with database.writing() as session:
            connection = await session.connection()
            await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(SchemaOutdated, match=r"schema 9999, .* a newer version"):
            migrate(database_url)
        with pytest.raises(SchemaOutdated) as told:
            await require_current_schema(database)
        assert "greenroom migrate" not in str(told.value)
    finally:
        await database.close()


def test_sqlite_waits_for_whoever_writes_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "greenroom.sqlite3"
    url = f"sqlite+aiosqlite:///{file}"
    migrate_to(url, "0001", monkeypatch)
    quick = replace(QUICK, lock_seconds=0.01)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(MigrationFailed, match="somebody had a lock that it needs"):
            migrate(url, patience=quick)
        with migrating(url, replace(quick, pauses=(0.01,) * 2_000)) as start:
            running = start()
            running.tells("somebody has a lock that it needs; trying again")
            other.execute("COMMIT")
            running.done.result()
        assert other.execute("SELECT version_num FROM alembic_version").fetchone() == (newest_revision(),)
