"""A machine that vanishes from the network with connections open: PostgreSQL forgets it and its locks."""

import subprocess
import sys
from collections.abc import Iterator
from typing import LiteralString
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.networks import Machine, another_machine
from tests.processes import REPOSITORY, Server, wait_until
from tests.servers import start_private_postgres

pytestmark = pytest.mark.more

# One connection idles, one is in the middle of a transaction, one in the middle of a statement.
WORK = """
import asyncio, sys
from sqlalchemy import text
from service.database import Database

async def work():
    database = Database(sys.argv[1])
    await database.write(lambda connection: connection.execute(text("CREATE TABLE note (number int)")))
    async with database.pages.reading() as session:
        await (await session.connection()).execute(text("SELECT 1"))
    async with database.writing() as session, database.submissions.reading() as other:
        await (await session.connection()).execute(text("LOCK TABLE note"))
        await (await other.connection()).execute(text("SELECT pg_sleep(60)"))

asyncio.run(work())
"""
THEIRS = "SELECT count(*) FROM pg_stat_activity WHERE client_addr <> inet '127.0.0.1'"
ASLEEP = f"{THEIRS} AND wait_event = 'PgSleep'"


@pytest.fixture
def machine() -> Iterator[Machine]:
    with another_machine() as machine:
        yield machine


@pytest.fixture
def postgres(machine: Machine) -> Iterator[Server]:
    with start_private_postgres(also_at=machine.our_address) as server:
        yield server


def test_it_is_forgotten_with_its_locks(machine: Machine, postgres: Server) -> None:
    here = urlsplit(postgres.url)
    there = here._replace(
        scheme="postgresql+psycopg", netloc=f"{here.username}@{machine.our_address}:{here.port}"
    ).geturl()
    command = [*machine.prefix, sys.executable, "-c", WORK, there]
    with (
        subprocess.Popen(command, cwd=REPOSITORY) as theirs,
        psycopg.connect(postgres.url, autocommit=True) as admin,
    ):
        try:
            wait_until(lambda: count(admin, ASLEEP) == 1, "its work to begin")
            assert count(admin, THEIRS) == 4
            machine.cut_off()
            # Somebody else wants what it has locked.
            admin.execute("INSERT INTO note VALUES (1)")
            wait_until(lambda: count(admin, THEIRS) == 0, "PostgreSQL to forget it")
        finally:
            theirs.kill()


def count(admin: psycopg.Connection[tuple[int]], query: LiteralString) -> int:
    found = admin.execute(query).fetchone()
    assert found is not None
    return found[0]
