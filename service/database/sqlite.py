"""SQLite: how a connection is set up, how a transaction begins, and whether the file is still the same."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from service.database.bounds import Bounds
from service.database.faults import name_fault

# Waiting for a lock cannot be broken off, so it is done in pieces.
BUSY_MILLISECONDS = 500
# What is written ahead is cut to this when it has grown past it, as by a VACUUM.
MAX_LOG_BYTES = 16 << 20
# The device and the number of a file on it.
Identity = tuple[int, int]


class DatabaseFile:
    """The file as it was when it was opened first.

    Another one may be put in its place. What is open already would go on in a file that nobody finds any
    more, and what is opened anew would meet the other, which may have other keys. So nothing goes on until
    the service is started again.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._known = _identify(path)
        self._beside = (f"{path}-wal", f"{path}-shm")
        self._known_beside: tuple[Identity | None, ...] = (None, None)
        self._connections = 0
        # The writer opens and closes in a thread of its own.
        self._counting = threading.Lock()

    @property
    def was_replaced(self) -> bool:
        """Whether there is another file now where this one was, or none, or so with those beside it."""
        found = _identify(self._path)
        if self._known is None:
            # It was made after we were.
            self._known = found
        return found != self._known or self._has_lost_log

    @property
    def _has_lost_log(self) -> bool:
        """Whether the files of what is written ahead are others than those that are open."""
        if not self._connections:
            return False
        found = tuple(map(_identify, self._beside))
        if None in self._known_beside:
            # The first transaction makes them.
            self._known_beside = found
        return found != self._known_beside

    def note_opened(self) -> None:
        """Take note of a connection: as long as there is one, SQLite leaves the files where they are."""
        with self._counting:
            self._connections += 1

    def note_closed(self) -> None:
        """Take note of its end: the last one takes along what is beside the file."""
        with self._counting:
            self._connections -= 1
            if not self._connections:
                self._known_beside = (None, None)

    def cut_log(self) -> None:
        """Cut what was written ahead, unless it is short or somebody still reads in it."""
        log = Path(f"{self._path}-wal")
        if not log.exists() or log.stat().st_size <= MAX_LOG_BYTES:
            return
        # A connection of its own, which is in no transaction.
        patience = BUSY_MILLISECONDS / 1000
        with closing(connect(self._path, timeout=patience, isolation_level=None)) as connection:
            # The first takes as long as there is to copy and holds nobody up; that leaves the other nothing.
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _identify(path: str) -> Identity | None:
    try:
        # Each unit of work looks, so by the shortest way.
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def prepare(engine: Engine, bounds: Bounds, file: DatabaseFile, require_file: Callable[[], None]) -> None:
    """Have an engine set up each connection that it opens, and begin each transaction as what it is."""

    @event.listens_for(engine, "connect")
    def prepare_connection(connection: Any, _record: object) -> None:
        require_file()
        # The driver's own BEGIN comes too late and is never IMMEDIATE (SQLAlchemy's recipe).
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode = WAL",
            # FULL: a commit that was answered survives the loss of power too.
            "synchronous = FULL",
            "foreign_keys = ON",
            # What a savepoint would put back is kept here, not in a file made for each batch.
            "temp_store = MEMORY",
            f"busy_timeout = {BUSY_MILLISECONDS}",
            f"journal_size_limit = {MAX_LOG_BYTES}",
            # What is deleted is overwritten: an erased address must not stay in the file.
            "secure_delete = ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        file.note_opened()

    @event.listens_for(engine, "close")
    def forget_connection(_connection: Any, _record: object) -> None:
        file.note_closed()

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        if not connection.get_execution_options().get("greenroom_write", False):
            connection.exec_driver_sql("BEGIN")
            return
        last_try = time.monotonic() + bounds.lock_seconds - BUSY_MILLISECONDS / 1000
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                return
            except OperationalError as error:
                if name_fault(error) != "busy" or time.monotonic() > last_try:
                    raise
