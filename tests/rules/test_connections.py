"""A process opens as many connections as the docs say, and no more."""

import re

from sqlalchemy import QueuePool

from service.database import Database
from tests.rules.test_docs import REPOSITORY

DOCS = REPOSITORY / "docs"
# Nothing is connected to before it is needed.
NOWHERE = "postgresql+psycopg://greenroom@127.0.0.1:1/greenroom"
# A process more while one is replaced, two commands, and PostgreSQL's superusers.
BESIDES = 15 + 2 * 3 + 3


async def test_a_process_opens_as_many_as_is_said() -> None:
    database = Database(NOWHERE)
    pools = [engine.pool for engine in database.engines.values()]
    most = sum(pool.size() + pool._max_overflow for pool in pools if isinstance(pool, QueuePool))
    await database.close()
    for page in ("configuration.md", "operations/postgresql.md"):
        told = re.findall(r"\*\*(\d+) connections\*\*", (DOCS / page).read_text())
        assert told == [str(most)], page


def test_the_limit_of_postgresql_follows_from_it() -> None:
    text = (DOCS / "operations" / "postgresql.md").read_text()
    [[processes, limits]] = re.findall(
        r"^\| processes \|(.*)\n\| --- .*\n\| `max_connections` \|(.*)$", text, re.MULTILINE
    )
    for process, limit in zip(processes.split("|"), limits.split("|"), strict=True):
        if process.strip():
            assert int(limit) == 15 * int(process) + BESIDES
