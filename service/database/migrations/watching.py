"""What a long step does and whom it waits for, as the database sees it, told now and then."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from service.database.migrations.patience import Tell

# Often enough to see who is in the way while we wait for a lock.
LOOK_SECONDS = 0.25

_PROGRESS = text(
    "SELECT index_relid::regclass, phase, blocks_done, blocks_total, tuples_done, tuples_total"
    " FROM pg_stat_progress_create_index WHERE pid = :pid"
)
# Never the text of a query, in which there may be anything.
_BLOCKERS = text(
    "SELECT pid, usename, application_name, state, extract(epoch FROM now() - xact_start)::int"
    " FROM pg_stat_activity WHERE pid = ANY(pg_blocking_pids(:pid)) ORDER BY xact_start"
)


class Watch:
    """Looks at the work of one connection from another one."""

    def __init__(self, tell: Tell, tell_seconds: float) -> None:
        self.doing = ""
        # Whoever was in the way when it was last looked.
        self.blocked_by = ""
        self._tell, self._tell_seconds = tell, tell_seconds
        self._over = threading.Event()
        self._started = self._told = time.monotonic()

    def begin(self, doing: str) -> None:
        """Note what is begun now."""
        self.doing, self.blocked_by = doing, ""
        self._started = self._told = time.monotonic()

    @contextmanager
    def looking(self, engine: Engine, pid: int | None) -> Iterator[None]:
        """Look on for as long as the block lasts; without a `pid` nothing is to be seen but the time."""
        thread = threading.Thread(target=self._look_on, args=(engine, pid), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _look_on(self, engine: Engine, pid: int | None) -> None:
        # If it cannot be looked at, the work goes on all the same.
        with suppress(SQLAlchemyError):
            if pid is not None:
                with engine.connect() as connection:
                    self._keep_telling(lambda: self._look(connection, pid))
        self._keep_telling(lambda: "")

    def _keep_telling(self, look: Callable[[], str]) -> None:
        while not self._over.wait(LOOK_SECONDS):
            seen = look()
            now = time.monotonic()
            if self.doing and now - self._told >= self._tell_seconds:
                self._told = now
                self._tell(f"{self.doing}: {seen or 'at work'}, {now - self._started:.0f} s so far")

    def _look(self, connection: Connection, pid: int) -> str:
        blockers = connection.execute(_BLOCKERS, {"pid": pid}).all()
        if blockers:
            self.blocked_by = " and ".join(_name(*row) for row in blockers)
        progress = connection.execute(_PROGRESS, {"pid": pid}).first()
        # A transaction left open would be one more that an index has to wait for.
        connection.rollback()
        parts = [_measure(*progress)] if progress else []
        parts += [f"waits for {self.blocked_by}"] if blockers else []
        return ", ".join(parts)


def _name(pid: int, user: str, application: str, state: str, seconds: int | None) -> str:
    """Name a process of the server in a way that finds it."""
    since = f", for {seconds} s" if seconds is not None else ""
    return f"process {pid} ({', '.join(filter(None, (user, application, state)))}{since})"


def _measure(index: str, phase: str, *counts: Any) -> str:
    """Say how far an index is; its phases count blocks, rows or nothing."""
    blocks, all_blocks, rows, all_rows = counts
    done, total = (rows, all_rows) if all_rows else (blocks, all_blocks)
    return f"{index}: {phase}" + (f", {100 * done // total} %" if total else "")
