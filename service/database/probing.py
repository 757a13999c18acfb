"""Finding out whether the database answers and takes what is written, without leaving anything there."""

import time
from contextlib import suppress
from typing import Literal

from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from service.concurrency.patience import Patience
from service.concurrency.single_flight import SingleFlight
from service.database.faults import UNWRITABLE, Fault, name_fault
from service.database.health import Health
from service.database.pool import Pool
from service.errors import Unavailable

State = Fault | Literal["ok", "locked"]
# In these nothing can be read either.
GONE: frozenset[State] = frozenset({"unreachable", "replaced"})
# To try to write costs more than to ask, and anybody may ask.
TRY_EVERY_SECONDS = 2.0
_ANSWERS = text("SELECT count(*) FROM alembic_version")
# PostgreSQL says so of a standby too.
_ONLY_READS = text("SELECT current_setting('transaction_read_only') = 'on'")
# More than what is left over in files that are there already. In a table of ours, since the role may have no
# right to make one, not even a temporary one; of all that may grow, this one has nothing else depend on it.
_TRY_POSTGRES = text(
    "INSERT INTO log_entry (id, site_id, seq, at, action, subject, previous, mac)"
    " SELECT CAST(md5(CAST(random() AS text)) AS uuid), CAST(md5(CAST(random() AS text)) AS uuid),"
    " number, now(), 'probe', repeat('x', 2000), '', '' FROM generate_series(1, 128) AS number"
)
_IS_FORBIDDEN = text(
    "SELECT count(*) FROM unnest(CAST(:tables AS text[])) AS name WHERE NOT ("
    "has_table_privilege(name, 'INSERT') AND has_table_privilege(name, 'UPDATE')"
    " AND has_table_privilege(name, 'DELETE'))"
)
# With so little memory it has to go to the file at once.
_SPILL = text("PRAGMA cache_size = 8")
_TRY_SQLITE = text(
    "CREATE TABLE greenroom_probe AS SELECT zeroblob(65536) AS filler FROM (VALUES (1), (2), (3), (4))"
)


class Probe:
    """Looks when somebody asks; one look is for all who ask meanwhile, however many they are."""

    def __init__(self, pool: Pool, health: Health) -> None:
        self._pool = pool
        self._health = health
        self._looks = SingleFlight[None, State]()
        self._tried_at = -TRY_EVERY_SECONDS
        self._tried: State = "ok"

    async def state(self, seconds: float) -> State:
        """Say how the database is, within so many seconds."""
        # In ticks, since a process that is busy says nothing of the database.
        with suppress(Unavailable):
            async with Patience(seconds):
                return await self._looks.do(None, self._find_out)
        return "unreachable"

    async def _find_out(self) -> State:
        try:
            self._health.require_file()
        except Unavailable:
            return "replaced"
        try:
            return await (self._ask_sqlite() if self._health.file else self._ask_postgres())
        except (SQLAlchemyError, OSError, Unavailable):
            return "unreachable"

    async def _ask_postgres(self) -> State:
        if self._health.unwritable:
            # As somebody would find it who comes now: what a connection may do is settled when it is opened.
            await self._pool.engine.dispose()
        async with self._pool.reading() as session:
            only_reads = await (await session.connection()).scalar(_ONLY_READS)
        if only_reads:
            self._health.refuse("read-only")
        elif self._health.unwritable and self._is_time_to_try():
            # A small row may still find room where there is none for a comment.
            self._note(await self._try())
        return self._health.unwritable or "ok"

    async def _ask_sqlite(self) -> State:
        async with self._pool.reading() as session:
            await (await session.connection()).execute(_ANSWERS)
        if self._is_time_to_try():
            self._note(await self._try())
        return self._health.unwritable or self._tried

    def _is_time_to_try(self) -> bool:
        now = time.monotonic()
        if now - self._tried_at < TRY_EVERY_SECONDS:
            return False
        self._tried_at = now
        return True

    async def _try(self) -> State:
        """Write something, and take it back."""
        try:
            async with self._pool.trying() as session:
                connection = await session.connection()
                # Where all is well there is nothing to look for.
                if self._health.unwritable and await _is_forbidden(connection):
                    return "forbidden"
                for statement in (_SPILL, _TRY_SQLITE) if self._health.file else (_TRY_POSTGRES,):
                    await connection.execute(statement)
        except DBAPIError as error:
            fault = name_fault(error)
            # Somebody else writes all the time, or was frozen while he did.
            return "locked" if fault == "busy" else fault or "failing"
        return "ok"

    def _note(self, tried: State) -> None:
        self._tried = tried
        if tried == "ok":
            self._health.recover()
        elif tried in UNWRITABLE:
            self._health.refuse(tried)

    async def close(self) -> None:
        """Look no more."""
        await self._looks.stop()


async def _is_forbidden(connection: AsyncConnection) -> bool:
    """Tell whether a right is missing; raises DBAPIError where a table is, or a column."""
    tables = SQLModel.metadata.sorted_tables
    for table in tables:
        await connection.execute(select(table).limit(0))
    if connection.dialect.name == "sqlite":
        return False
    return bool(await connection.scalar(_IS_FORBIDDEN, {"tables": [one.name for one in tables]}))
