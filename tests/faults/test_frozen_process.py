"""A process frozen in the middle of a transaction: the others go on, and it does when it thaws."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.cast import SUBMIT, Furnished, House, open_house
from tests.processes import Server
from tests.servers import start_service
from tests.waiting import find_waiting, until

# Never reached unless something hangs.
DEADLINE_SECONDS = 60
STATE = "SELECT state FROM pg_stat_activity WHERE pid = %s"
ON_POSTGRESQL = pytest.mark.parametrize("furnished", ["postgresql"], indirect=True)
ON_SQLITE = pytest.mark.parametrize("furnished", ["sqlite"], indirect=True)


@pytest.fixture
async def house(furnished: Furnished, furnished_url: str, tmp_path: Path) -> AsyncIterator[House]:
    # What is waited for in vain is waited for as shortly as a busy machine allows.
    patience = 2 if furnished.settings.is_sqlite else 5
    async with open_house(
        furnished, furnished_url, tmp_path / "data", database_patience_seconds=patience
    ) as house:
        yield house


@pytest.fixture
def process(house: House, tmp_path: Path) -> Iterator[Server]:
    """Give a process that shares its database with the house."""
    environment = {
        "GREENROOM_DATABASE_URL": house.settings.database_url,
        "GREENROOM_DATABASE_PATIENCE_SECONDS": str(house.settings.database_patience_seconds),
    }
    with start_service(tmp_path, environment) as server:
        yield server


async def send(client: httpx.AsyncClient, house: House, text: str) -> int:
    answer = await house.try_submit(by=client, text=text)
    assert answer.status_code < 500 or "retry-after" in answer.headers, answer.text
    return answer.status_code


@ON_POSTGRESQL
async def test_its_locks_are_gone_soon_and_nobody_else_is_refused(house: House, process: Server) -> None:
    url = house.settings.database_url.replace("+psycopg", "")
    async with (
        httpx.AsyncClient(base_url=process.url, trust_env=False, timeout=60) as parked,
        asyncio.timeout(DEADLINE_SECONDS),
    ):
        assert await send(parked, house, "Before.") == 202
        async with await psycopg.AsyncConnection[tuple[int]].connect(url) as admin:
            await admin.execute("LOCK TABLE status_tally IN EXCLUSIVE MODE")
            cut_off = asyncio.create_task(send(parked, house, "When it was frozen."))
            backend = await find_waiting(admin)
            process.freeze()
        try:
            await until(lambda: is_idle(url, backend))
            texts = [f"Elsewhere {one}." for one in range(3)]
            assert [await send(house.dave, house, text) for text in texts] == [202] * 3
        finally:
            process.thaw()
        assert await cut_off == 503

        async def is_taken() -> bool:
            return await send(parked, house, "When it was frozen.") == 202

        await until(is_taken)
    assert '"request failed"' not in process.log_text()


async def is_idle(url: str, backend: int) -> bool:
    """Tell whether a process of PostgreSQL waits for its frozen client, in a transaction that holds locks."""
    async with await psycopg.AsyncConnection[tuple[str]].connect(url) as admin:
        found = await (await admin.execute(STATE, [backend])).fetchone()
    return found == ("idle in transaction",)


@ON_SQLITE
async def test_who_holds_the_write_lock_of_sqlite_keeps_pages_from_nobody(house: House) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        await until(lambda: says(house, "ready", "ok"))
        file = house.settings.data_dir / "greenroom.sqlite3"
        # As another process would that was frozen then: the lock is held, and nothing happens.
        with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as holder:
            # Not here: who has the lock may be the house, which needs this thread to let it go.
            await asyncio.to_thread(holder.execute, "BEGIN IMMEDIATE")
            assert await send(house.dave, house, "Behind the lock.") == 503
            page = await house.dave.get(SUBMIT, params={"article": "/post"})
            assert page.status_code == 200
            await until(lambda: says(house, "degraded", "locked"))
            holder.execute("ROLLBACK")
        await until(lambda: says(house, "ready", "ok"))
        assert await send(house.dave, house, "Behind the lock.") == 202


async def says(house: House, status: str, database: str) -> bool:
    ready = (await house.client("127.0.0.1").get("/health/ready")).json()
    return (ready["status"], ready["parts"]["database"]) == (status, database)
