"""Keeping other migrations out while one runs, on PostgreSQL. On SQLite the one write lock does."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from service.database.migrations.patience import Patience, Tell
from service.database.migrations.refusals import MigrationFailed

ADVISORY_LOCK = 0x67726E726D
POLL_SECONDS = 0.25

_TRY = text("SELECT pg_try_advisory_lock(:key)")
_GIVE_BACK = text("SELECT pg_advisory_unlock(:key)")
_HOLDER = text(
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND (classid::bigint << 32) + objid::bigint = :key"
)


@contextmanager
def alone(connection: Connection, tell: Tell, patience: Patience) -> Iterator[None]:
    """Hold a lock of the connection, not of a transaction: migrations commit in between.

    It is asked for again and again. Who waits for it inside a statement would be waited for by an index that
    is made concurrently, and so both in a circle. Raises MigrationFailed.
    """
    key = {"key": ADVISORY_LOCK}
    ends_at, is_told = time.monotonic() + patience.turn_seconds, False
    while not connection.scalar(_TRY, key):
        holder = connection.scalar(_HOLDER, key)
        connection.rollback()
        if time.monotonic() > ends_at:
            raise MigrationFailed(
                f"Another `greenroom migrate` is still running, as process {holder} of PostgreSQL. "
                f"Let it come to its end, or end it: SELECT pg_terminate_backend({holder})."
            )
        if not is_told:
            tell(f"Another `greenroom migrate` is running (process {holder}); waiting.")
            is_told = True
        time.sleep(POLL_SECONDS)
    connection.rollback()
    yield
    # If the block raised, the connection is closed, and the lock with it.
    connection.scalar(_GIVE_BACK, key)
    connection.rollback()
