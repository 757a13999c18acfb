"""A database that takes nothing: what writes is told so, pages go on, readiness knows, and it heals."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tests.cast import SUBMIT, Furnished, House, open_house
from tests.disks import SmallDisk
from tests.waiting import until

# Never reached unless something hangs.
DEADLINE_SECONDS = 60
# Each comment takes a page of its own or more; in what is left over of files that are there some find room.
LONG = 2_000
RIGHTS = "SELECT, INSERT, UPDATE, DELETE"


@pytest.fixture
def disk_mebibytes() -> int:
    """A PostgreSQL needs more than what others here store."""
    return 64


@pytest.fixture
async def cramped(
    furnished: Furnished,
    furnished_url: str,
    request: pytest.FixtureRequest,
    disk: SmallDisk,
    tmp_path: Path,
) -> AsyncIterator[House]:
    """Give a house whose database lies on the small disk."""
    data_dir = tmp_path / "data"
    if furnished.settings.is_sqlite:
        data_dir = disk.folder / "data"
        furnished_url = f"sqlite+aiosqlite:///{data_dir / 'greenroom.sqlite3'}"
    else:
        move_database(request.getfixturevalue("postgres_server"), furnished_url, disk.folder)
    async with open_house(furnished, furnished_url, data_dir) as house:
        yield house
    if not furnished.settings.is_sqlite:
        # The server keeps no place that is about to go.
        move_database(request.getfixturevalue("postgres_server"), furnished_url, None)


def move_database(server_url: str, database_url: str, folder: Path | None) -> None:
    """Have a database of PostgreSQL lie in a folder, or where all others do, when nobody is connected."""
    name = sql.Identifier(urlsplit(database_url).path.removeprefix("/"))
    with psycopg.connect(server_url, autocommit=True) as admin:
        if folder is None:
            admin.execute(sql.SQL("ALTER DATABASE {} SET TABLESPACE pg_default").format(name))
            admin.execute(sql.SQL("DROP TABLESPACE {}").format(name))
            return
        place = folder / "postgresql"
        place.mkdir()
        [data] = admin.execute("SHOW data_directory").fetchone() or [""]
        os.chown(place, Path(data).stat().st_uid, -1)
        create = sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(name, sql.Literal(str(place)))
        admin.execute(create)
        admin.execute(sql.SQL("ALTER DATABASE {} SET TABLESPACE {}").format(name, name))


async def show_that_nothing_is_taken(house: House, why: str, caplog: pytest.LogCaptureFixture) -> None:
    """Send comments until one is refused, and see who is told what."""
    caplog.clear()
    statuses = set()
    for number in range(100):
        answer = await house.try_submit(text=f"{number} ".ljust(LONG, "x"))
        statuses.add(answer.status_code)
        if answer.status_code != 202:
            assert "retry-after" in answer.headers
    assert 503 in statuses <= {202, 503}
    # What is not in memory.
    page = await house.dave.get(SUBMIT, params={"article": "/post", "limit": 7})
    assert (page.status_code, page.json()["count"]) == (200, 1)
    # Somebody whose last use would be noted now.
    assert (await house.vera.get("/v1/moderation/comments")).status_code == 200
    await until(lambda: says(house, "degraded", why))
    metrics = (await house.client("127.0.0.1").get("/metrics")).text
    assert "greenroom_database_up 1.0" in metrics
    assert "greenroom_database_writable 0.0" in metrics
    # However many have met it, the log is told once, and without a stack.
    lines = [one for one in caplog.records if f"'fault': '{why}'" in one.getMessage()]
    assert [one.levelname for one in lines] == ["ERROR"], caplog.text
    assert "Traceback" not in caplog.text


async def says(house: House, status: str, database: str) -> bool:
    ready = (await house.client("127.0.0.1").get("/health/ready")).json()
    return (ready["status"], ready["parts"]["database"]) == (status, database)


async def show_that_it_heals(house: House) -> None:
    await until(lambda: says(house, "ready", "ok"))
    await house.submit()
    metrics = (await house.client("127.0.0.1").get("/metrics")).text
    assert "greenroom_database_writable 1.0" in metrics


async def test_a_full_disk(cramped: House, disk: SmallDisk, caplog: pytest.LogCaptureFixture) -> None:
    await cramped.publish()
    # Who connects to a PostgreSQL without room may be refused: it may have to write a file for that first.
    await cramped.read()
    await until(lambda: says(cramped, "ready", "ok"))
    async with asyncio.timeout(DEADLINE_SECONDS):
        disk.fill()
        await show_that_nothing_is_taken(cramped, "full", caplog)
        disk.clear()
        await show_that_it_heals(cramped)


async def order(database_url: str, *statements: str) -> None:
    """Do something to a database as an account that may do anything."""
    url = database_url.replace("+psycopg", "")
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as admin:
        for statement in statements:
            await admin.execute(statement.encode())


@pytest.fixture
async def plain(furnished: Furnished, furnished_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """Give a house whose role has the rights that the service asks for at its start, and no other."""
    role = f"plain_{uuid4().hex}"
    at = urlsplit(furnished_url)
    database = at.path.removeprefix("/")
    await order(
        furnished_url,
        f"CREATE ROLE {role} LOGIN PASSWORD '{role}'",
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {database} TO {role}",
        f"GRANT {RIGHTS} ON ALL TABLES IN SCHEMA public TO {role}",
    )
    url = at._replace(netloc=f"{role}:{role}@{at.netloc.rpartition('@')[2]}").geturl()
    async with open_house(furnished, url, tmp_path / "data") as house:
        yield house
    await order(furnished_url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


@pytest.mark.parametrize("furnished", ["postgresql"], indirect=True)
async def test_a_role_that_may_no_longer_write(
    plain: House, furnished_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await plain.publish()
    role = urlsplit(plain.settings.database_url).username
    rights = "INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public"
    async with asyncio.timeout(DEADLINE_SECONDS):
        await order(furnished_url, f"REVOKE {rights} FROM {role}")
        await show_that_nothing_is_taken(plain, "forbidden", caplog)
        assert "permission denied for table" in caplog.text
        await order(furnished_url, f"GRANT {rights} TO {role}")
        await show_that_it_heals(plain)


@pytest.mark.parametrize("furnished", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("harm", "heal"),
    [
        ("daily_tally RENAME TO lost", "lost RENAME TO daily_tally"),
        ("daily_tally RENAME total TO lost", "daily_tally RENAME lost TO total"),
    ],
)
async def test_a_table_or_a_column_that_is_missing(
    house: House, harm: str, heal: str, caplog: pytest.LogCaptureFixture
) -> None:
    await house.publish()
    async with asyncio.timeout(DEADLINE_SECONDS):
        await order(house.settings.database_url, f"ALTER TABLE {harm}")
        await show_that_nothing_is_taken(house, "incomplete", caplog)
        assert "does not exist" in caplog.text
        await order(house.settings.database_url, f"ALTER TABLE {heal}")
        await show_that_it_heals(house)


# SQLite has no such thing.
@pytest.mark.parametrize("furnished", ["postgresql"], indirect=True)
async def test_a_server_that_only_reads(
    plain: House, postgres_server: str, caplog: pytest.LogCaptureFixture
) -> None:
    house = plain
    taken = await house.publish()
    name = sql.Identifier(urlsplit(house.settings.database_url).path.removeprefix("/"))
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        # As after a fail-over: who comes now finds that nothing can be written.
        admin.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
        admin.execute(end, [name.as_string().strip('"')])
        async with asyncio.timeout(DEADLINE_SECONDS):
            await show_that_nothing_is_taken(house, "read-only", caplog)
            decision = {"comment": taken.id, "version": 2, "action": "reject"}
            answer = await house.bob.post("/v1/moderation/decisions", json={"decisions": [decision]})
            assert answer.status_code == 503
            # Connections that were opened meanwhile would go on reading only.
            admin.execute(sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(name))
            await show_that_it_heals(house)
