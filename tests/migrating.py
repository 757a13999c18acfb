"""A database in the middle of its migrations, and others who are in the way of them."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import pytest

from service.database.migrations import running
from service.database.migrations.patience import Patience
from service.database.migrations.running import list_revisions, migrate
from tests.processes import wait_until

# Who waits for a lock is looked at four times a second.
QUICK = Patience(lock_seconds=1.0, pauses=(0.01,), turn_seconds=0.5, tell_seconds=0.1)
Connection = psycopg.Connection[tuple[object, ...]]


def migrate_to(url: str, revision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a database as an older version did."""
    known = [one for one in list_revisions() if one <= revision]
    with monkeypatch.context() as older:
        older.setattr(running, "list_revisions", lambda: known)
        migrate(url)


@contextmanager
def bystander(url: str, does: str = "SELECT 1") -> Iterator[Connection]:
    """Keep a transaction open that sees the database as it was: an index waits for it to end."""
    with psycopg.connect(url.replace("+psycopg", ""), application_name="bystander") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.execute(does)
        yield connection


@dataclass
class Migrating:
    """A migration on its way in a thread, and what it told."""

    done: Future[None]
    lines: list[str] = field(default_factory=list)

    def tells(self, words: str) -> None:
        """Wait until it says something with these words in it."""
        wait_until(lambda: self.done.done() or words in "\n".join(self.lines), words)
        assert words in "\n".join(self.lines), self.lines


@contextmanager
def migrating(url: str, patience: Patience = QUICK) -> Iterator[Callable[[], Migrating]]:
    """Give a way to start migrations beside the test, which are over when the block is."""
    with ThreadPoolExecutor() as threads:

        def start() -> Migrating:
            lines: list[str] = []
            run = threads.submit(migrate, url, tell=lines.append, patience=patience)
            return Migrating(run, lines)

        yield start
