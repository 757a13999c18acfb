"""A migration that is ended on its way, however: the next one goes on from there."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from service.database.migrations import running
from service.database.migrations.refusals import AGAIN, MigrationFailed
from service.database.migrations.running import migrate, newest_revision
from tests.migrating import bystander, migrating
from tests.processes import REPOSITORY, bound_to_us, wait_until

BUILDING = (
    "SELECT pid FROM pg_stat_progress_create_index"
    " WHERE datname = current_database() AND phase = 'waiting for old snapshots'"
)
AT_WORK = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'greenroom migrate'"
)
BROKEN = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"


def rows(url: str, query: str) -> list[str]:
    with psycopg.connect(url, autocommit=True) as connection:
        return [str(row[0]) for row in connection.execute(query)]


@pytest.mark.parametrize(
    ("number", "told"), [(signal.SIGKILL, ""), (signal.SIGTERM, f"Error: Stopped. {AGAIN}\n")]
)
def test_an_index_that_was_broken_off_is_made_anew(
    postgres_url: str, tmp_path: Path, number: signal.Signals, told: str
) -> None:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")}
    given = {"GREENROOM_DATABASE_URL": postgres_url, "GREENROOM_DATA_DIR": str(tmp_path / "data")}
    with (
        bystander(postgres_url),
        subprocess.Popen(
            [*bound_to_us(), sys.executable, "-m", "service", "migrate"],
            env={**ours, **given},
            cwd=REPOSITORY,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        wait_until(lambda: bool(rows(postgres_url, BUILDING)), "the index to wait")
        process.send_signal(number)
        _, errors = process.communicate()
        assert process.returncode == (-number if number == signal.SIGKILL else 1)
        assert errors == told
        # The server notices that nobody is there any more, and stops at once what was asked for.
        wait_until(lambda: rows(postgres_url, AT_WORK) == [], "the server to give up")
        assert rows(postgres_url, BROKEN) == ["ix_comment_changes"]
    migrate(postgres_url.replace("postgresql:", "postgresql+psycopg:"))
    assert rows(postgres_url, BROKEN) == []
    assert rows(postgres_url, "SELECT version_num FROM alembic_version") == [newest_revision()]
    found = rows(postgres_url, "SELECT indexname FROM pg_indexes WHERE tablename = 'comment'")
    assert {"ix_comment_changes", "ix_comment_site_public"} <= set(found)


def test_a_connection_that_is_lost_is_told_in_one_line(postgres_url: str) -> None:
    url = postgres_url.replace("postgresql:", "postgresql+psycopg:")
    with migrating(url) as start, bystander(postgres_url):
        on_its_way = start()
        on_its_way.tells("waiting for old snapshots")
        [pid] = rows(postgres_url, BUILDING)
        rows(postgres_url, f"SELECT pg_terminate_backend({pid})")
        with pytest.raises(MigrationFailed, match=r"^Migration 0003: terminating connection"):
            on_its_way.done.result()


def test_a_signal_is_heard_in_a_long_statement_of_sqlite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'greenroom.sqlite3'}"
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, stop)
    with monkeypatch.context() as patched:
        patched.setattr(
            running,
            "_upgrade",
            lambda connection, _revision: connection.exec_driver_sql(endless),
        )
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        try:
            with pytest.raises(KeyboardInterrupt):
                migrate(url)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    migrate(url)
