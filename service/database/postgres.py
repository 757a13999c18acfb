"""PostgreSQL: connections that are given up when the server is silent, and what the server is told of us."""

from typing import Any, TypeVar

import psycopg
from psycopg import waiting
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGconn

from service.database.bounds import Bounds

R = TypeVar("R")

# How often a wait looks at the time, in seconds.
LOOK_SECONDS = 0.1
# A server that vanished from the network is noticed within about ten seconds, not after hours.
OPTIONS: dict[str, Any] = {
    "connect_timeout": 4,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
# The same from the server's side, so that it forgets a machine that vanished, with all its locks.
_ON_SERVER = {
    "tcp_keepalives_idle": "5s",
    "tcp_keepalives_interval": "2s",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10s",
    # It would otherwise go on with what a process asked that is gone.
    "client_connection_check_interval": "2s",
}
# The version from which on a server knows a parameter, where not all do.
_SINCE = {"tcp_user_timeout": 120_000, "client_connection_check_interval": 140_000}


class PatientConnection(psycopg.Connection[Any]):
    """A connection of a thread; it hangs up when an answer takes too long."""

    patience_seconds: float | None = None

    def wait(self, gen: PQGen[R], interval: float = LOOK_SECONDS, timeout: float | None = None) -> R:
        limit = self.patience_seconds if timeout is None else timeout
        try:
            return waiting.wait(gen, self.pgconn.socket, interval, limit)
        except BaseException:
            hang_up(self.pgconn)
            raise


class PatientAsyncConnection(psycopg.AsyncConnection[Any]):
    """A connection of an event loop; it hangs up when an answer takes too long, or nobody waits for it."""

    patience_seconds: float | None = None

    async def wait(
        self,
        gen: PQGen[R],
        interval: float = LOOK_SECONDS,
        timeout: float | None = None,  # noqa: ASYNC109 - The driver passes it by this name.
    ) -> R:
        limit = self.patience_seconds if timeout is None else timeout
        try:
            return await waiting.wait_async(gen, self.pgconn.socket, interval, limit)
        except BaseException:
            hang_up(self.pgconn)
            raise


def hang_up(line: PGconn) -> None:
    """Close a connection that still owes an answer.

    The driver would ask the server to cancel, and wait: a silent one cancels nothing. This one finds by
    itself that nobody listens.
    """
    if line.transaction_status == TransactionStatus.ACTIVE:
        line.finish()


def connect(bounds: Bounds, *args: Any, **parameters: Any) -> PatientConnection:
    """Open a connection for a thread, with these bounds on both sides."""
    made = PatientConnection.connect(*args, **parameters, autocommit=True)
    made.patience_seconds = bounds.patience_seconds
    made.execute(_tell(bounds, made.info.server_version), prepare=False)
    made.autocommit = False
    return made


async def connect_async(bounds: Bounds, *args: Any, **parameters: Any) -> PatientAsyncConnection:
    """Open a connection for an event loop, with these bounds on both sides."""
    made = await PatientAsyncConnection.connect(*args, **parameters, autocommit=True)
    made.patience_seconds = bounds.patience_seconds
    await made.execute(_tell(bounds, made.info.server_version), prepare=False)
    await made.set_autocommit(False)
    return made


def _tell(bounds: Bounds, version: int) -> bytes:
    """Write the statement that tells a server of some version what it has to know of a connection.

    A statement and no option of the connection, which a pooler between the two would refuse, and which
    would take the place of those in the operator's URL.
    """
    wanted = {
        "lock_timeout": _milliseconds(bounds.lock_seconds),
        "statement_timeout": _milliseconds(bounds.statement_seconds),
        "idle_in_transaction_session_timeout": _milliseconds(bounds.idle_seconds),
        **_ON_SERVER,
    }
    known = {name: value for name, value in wanted.items() if version >= _SINCE.get(name, 0)}
    calls = (f"set_config('{name}', '{value}', false)" for name, value in known.items())
    return f"SELECT {', '.join(calls)}".encode()


def _milliseconds(seconds: float | None) -> str:
    return str(round(1000 * (seconds or 0)))
