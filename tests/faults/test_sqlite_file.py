"""The file of SQLite: what others do to it while the service runs."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from service.database.sqlite import MAX_LOG_BYTES
from service.housekeeping import tidy_up
from tests.cast import SUBMIT, House

pytestmark = pytest.mark.parametrize("furnished", ["sqlite"], indirect=True)


COMMENTS = "SELECT rootpage FROM sqlite_master WHERE type = 'table' AND name = 'comment'"


def file_of(house: House) -> Path:
    return house.settings.data_dir / "greenroom.sqlite3"


def replace(file: Path) -> None:
    """Put another file in its place, as somebody may who restores a copy."""
    shutil.copy(file, file.with_suffix(".copy"))
    file.with_suffix(".copy").replace(file)


def lose_log(file: Path) -> None:
    """Delete what was written ahead, as somebody may who has read that it is only a log."""
    file.with_name(f"{file.name}-wal").unlink()


def lose_index(file: Path) -> None:
    file.with_name(f"{file.name}-shm").unlink()


@pytest.mark.parametrize("harm", [replace, Path.unlink, lose_log, lose_index])
async def test_nothing_is_taken_into_a_file_that_is_no_longer_there(
    house: House, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    taken = await house.publish()
    local = house.client("127.0.0.1")
    assert (await local.get("/health/ready")).json()["status"] == "ready"
    harm(file_of(house))
    decision = {"comment": taken.id, "version": 2, "action": "reject"}
    for _ in range(3):
        refused = await house.try_submit()
        assert refused.status_code == 503
        assert "retry-after" in refused.headers
        answer = await house.bob.post("/v1/moderation/decisions", json={"decisions": [decision]})
        assert answer.status_code == 503
    ready = await local.get("/health/ready")
    assert (ready.status_code, ready.json()["parts"]["database"]) == (503, "replaced")
    assert "greenroom_database_up 0.0" in (await local.get("/metrics")).text
    assert len([one for one in caplog.records if one.levelname == "ERROR"]) == 1
    # Nor is anything shown that will not be there any more.
    page = await house.dave.get(SUBMIT, params={"article": "/post"})
    assert page.status_code == 503


async def test_nothing_is_taken_into_a_file_that_is_damaged(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody copied another file over it, say; a later trial that succeeds says nothing of the rest."""
    await house.publish()
    local = house.client("127.0.0.1")
    with closing(sqlite3.connect(file_of(house), isolation_level=None)) as somebody:
        somebody.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [size] = somebody.execute("PRAGMA page_size").fetchone()
        [page] = somebody.execute(COMMENTS).fetchone()
    with file_of(house).open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    # The first that needs a page which is not in memory yet finds it.
    while (await house.try_submit()).status_code == 202:
        pass
    for _ in range(3):
        refused = await house.try_submit()
        assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
    ready = await local.get("/health/ready")
    assert (ready.json()["status"], ready.json()["parts"]["database"]) == ("degraded", "damaged")
    assert "greenroom_database_writable 0.0" in (await local.get("/metrics")).text
    assert len([one for one in caplog.records if one.levelname == "ERROR"]) == 1


async def test_what_a_vacuum_wrote_ahead_does_not_stay(house: House) -> None:
    await house.submit()
    log = file_of(house).with_name("greenroom.sqlite3-wal")
    with closing(sqlite3.connect(file_of(house), isolation_level=None)) as somebody:
        somebody.execute("CREATE TABLE heavy AS SELECT zeroblob(1024) AS filler FROM comment")
        double = "INSERT INTO heavy SELECT filler FROM heavy"
        while log.stat().st_size <= MAX_LOG_BYTES:
            somebody.execute(double)
        somebody.execute("VACUUM")
        assert log.stat().st_size > MAX_LOG_BYTES
        for _ in range(2):
            await house.submit()
        assert log.stat().st_size <= MAX_LOG_BYTES
        somebody.execute("VACUUM")
        assert log.stat().st_size > MAX_LOG_BYTES
        # Where nothing is stored, the regular work does it.
        await tidy_up(house.app.process.services)
        assert log.stat().st_size == 0


async def test_nobody_sits_in_a_transaction_that_reads(house: House) -> None:
    """Whoever did would keep what is written ahead from being taken into the file, for ever."""
    taken = await house.publish()
    await house.read()
    await house.look(taken.id)
    await house.client("127.0.0.1").get("/metrics")
    with closing(sqlite3.connect(file_of(house), isolation_level=None)) as somebody:
        [busy, left, _] = somebody.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert (busy, left) == (0, 0)
