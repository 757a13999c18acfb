"""Measuring what a comment takes on the disk, and what is written there until it lies in its place."""

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import psycopg

from tests.benchmarks.harness import Load, run_wrk
from tests.benchmarks.machine import find_family
from tests.benchmarks.stage import Stage, make_submission
from tests.installation import COMMENTS

CLIENTS = 32
POSTGRES_SIZES = """
SELECT sum(pg_table_size(c.oid)), sum(pg_indexes_size(c.oid)),
       pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0'), (SELECT count(*) FROM comment)
FROM pg_class AS c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
"""
SQLITE_SIZES = """
SELECT sum(pgsize * (m.type = 'table')), sum(pgsize * (m.type = 'index')), 0,
       (SELECT count(*) FROM comment)
FROM dbstat AS s JOIN sqlite_master AS m ON m.name = s.name
"""


class Sizes(msgspec.Struct, frozen=True):
    """Bytes in tables, in indexes, in the log ahead of them, and written to the disk; and comments."""

    tables: float
    indexes: float
    log: float
    comments: float
    written: float


class PerComment(msgspec.Struct, frozen=True):
    """Bytes that one comment takes; `log` is 0 where it cannot be told."""

    body: float
    tables: float
    indexes: float
    log: float
    written: float

    @property
    def amplification(self) -> float:
        """How many bytes are written for each byte that a reader sent."""
        return self.written / self.body


def measure_storage(folder: Path, stage: Stage, seconds: int) -> PerComment:
    """Fill a database by submissions for some seconds and give what each of them took."""
    template = folder / "stored.json"
    template.write_bytes(make_submission("/stored"))
    read = _read_sqlite if "sqlite" in stage.settings.database_url else _read_postgres
    before = _read(read, stage)
    load = Load(stage.url + COMMENTS, stage.roots, connections=CLIENTS, body=template)
    run_wrk(load, seconds)
    after = _read(read, stage)
    grown = [getattr(after, one) - getattr(before, one) for one in Sizes.__struct_fields__]
    tables, indexes, log, comments, written = grown
    body = len(make_submission("/stored", "1234567890", "123"))
    return PerComment(body, *(one / comments for one in (tables, indexes, log, written)))


def _read(read: Callable[[Stage], Sequence[float]], stage: Stage) -> Sizes:
    sizes = read(stage)
    tables, indexes, log, comments = map(float, sizes)
    written = _read_written([*find_family(stage.roots), os.getpid()])
    return Sizes(tables, indexes, log, comments, written)


def _read_postgres(stage: Stage) -> Sequence[float]:
    url = stage.environment["GREENROOM_DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        # What waits in memory for its place in the tables is written there, so that it counts.
        connection.execute("CHECKPOINT")
        row = connection.execute(POSTGRES_SIZES).fetchone()
    assert row is not None
    return row


def _read_sqlite(stage: Stage) -> Sequence[float]:
    connection = sqlite3.connect(stage.settings.data_dir / "greenroom.sqlite3")
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        row: Sequence[float] = connection.execute(SQLITE_SIZES).fetchone()
    finally:
        connection.close()
    return row


def _read_written(pids: Sequence[int]) -> int:
    """Give the bytes that processes have had written to the disk (`write_bytes` in proc(5))."""
    total = 0
    for pid in pids:
        # One that has ended has its bytes counted no more; the long-lived ones write nearly all.
        with suppress(FileNotFoundError, ProcessLookupError):
            lines = Path(f"/proc/{pid}/io").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))
    return total
