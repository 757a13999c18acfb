"""Rotating the keys of addresses while the service works: nothing is lost, mixed up or left behind."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import col, select, update

from service.command_line import commands
from service.command_line.keys import ROTATED
from service.command_line.log import verify_logs
from service.errors import Unavailable
from service.privacy import rotation, vault
from service.privacy.rotation import Rotation
from service.privacy.tables import AuthorTally, DataKey, SealedAddress
from tests.api.privacy.leaks import database_files, find_addresses
from tests.cast import PASSWORD, House, email_of
from tests.keyboard import only_line, type_command
from tests.processes import HEARS_CTRL_C, REPOSITORY, bound_to_us, wait_until
from tests.servers import run_greenroom

pytestmark = pytest.mark.both


async def address_keys(house: House) -> list[UUID]:
    """Give the ids of the address keys, the oldest first."""
    async with house.database.reading() as session:
        query = select(DataKey.id).where(DataKey.purpose == "address")
        ordered = query.order_by(col(DataKey.created_at), col(DataKey.id))
        return list((await session.exec(ordered)).all())


async def keys_in_use(house: House) -> set[UUID]:
    async with house.database.reading() as session:
        return set((await session.exec(select(SealedAddress.key_id))).all())


async def indexes(house: House) -> dict[str, bytes]:
    async with house.database.reading() as session:
        rows = (await session.exec(select(SealedAddress))).all()
        return {str(row.id): row.author_index for row in rows}


@asynccontextmanager
async def readers(house: House) -> AsyncIterator[list[tuple[str, str]]]:
    """Let readers comment for as long as the block lasts; gives the id and address of each comment."""
    sent: list[tuple[str, str]] = []
    done = asyncio.Event()

    async def keep_commenting() -> None:
        while not done.is_set():
            # Some of them come back.
            email = f"reader{len(sent) % 7}@mail.example"
            submitted = await house.submit(email=email)
            sent.append((submitted.id, email))
            # At the pace of readers: the machine has other things to do.
            await asyncio.sleep(0.05)

    task = asyncio.create_task(keep_commenting())
    yield sent
    done.set()
    await task


async def reveal(house: House, comment_id: str) -> Any:
    url = f"/v1/moderation/comments/{comment_id}/email-reveals"
    return (await house.bob.post(url, json={"purpose": "To ask."})).json()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_stops_it_is_told_what_stays_done(tmp_path: Path, number: signal.Signals) -> None:
    assert type_command(tmp_path, {}, "migrate").exit_code == 0
    with subprocess.Popen(
        [*bound_to_us(), *HEARS_CTRL_C, sys.executable, "-m", "service", "keys", "rotate"],
        env={"GREENROOM_DATA_DIR": str(tmp_path / "data")},
        cwd=REPOSITORY,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_until(lambda: count_keys(tmp_path) == 2, "the new key")
        process.send_signal(number)
        _, errors = process.communicate()
    assert process.returncode == 1
    assert only_line(errors) == f"Stopped. {ROTATED}"


def count_keys(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "data" / "greenroom.sqlite3")) as database:
        [[number]] = database.execute("SELECT count(*) FROM data_key WHERE purpose = 'address'")
    return int(number)


async def test_it_runs_beside_a_service_that_takes_comments(house: House) -> None:
    [old] = await address_keys(house)
    before = await indexes(house)
    first = await house.publish(email="reader0@mail.example")
    environment = {"GREENROOM_DATABASE_URL": house.settings.database_url}
    async with readers(house) as sent:
        rotated = await asyncio.to_thread(
            run_greenroom, house.settings.data_dir.parent, environment, "keys", "rotate"
        )
    assert rotated.returncode == 0, rotated.stderr
    assert "1 old keys are deleted" in rotated.stdout
    [new] = await address_keys(house)
    assert new != old
    assert await keys_in_use(house) == {new}
    after = await indexes(house)
    assert set(after) == {*before, first.id, *(comment_id for comment_id, _ in sent)}
    assert all(after[moderator] != before[moderator] for moderator in before)
    await authors_are_still_who_they_were(house, first.id, sent)
    written = [file.read_bytes() for file in database_files(house)]
    written += [rotated.stdout.encode(), rotated.stderr.encode()]
    metrics = await house.client("127.0.0.1").get("/metrics")
    addresses = {email for _, email in sent}
    assert find_addresses(b"".join([*written, metrics.content]), addresses) == []


async def authors_are_still_who_they_were(house: House, first: str, sent: list[tuple[str, str]]) -> None:
    known = await indexes(house)
    by_address: dict[str, set[bytes]] = {}
    for comment_id, email in sent:
        by_address.setdefault(email, set()).add(known[comment_id])
    assert all(len(found) == 1 for found in by_address.values())
    assert len({index for found in by_address.values() for index in found}) == len(by_address)
    # The one that was approved before the rotation still counts for its author, and later ones add.
    again = await house.submit(email="reader0@mail.example")
    assert (await house.look(again.id)).author.approved == 1
    await house.approve(again.id)
    assert (await house.look(first)).author.approved == 2
    for comment_id, email in (sent[0], sent[-1]):
        assert await reveal(house, comment_id) == {"email": email}
    assert (await house.client().post("/v1/session", json=account("bob"))).status_code == 200


def account(name: str) -> dict[str, str]:
    return {"email": email_of(name), "password": PASSWORD}


@pytest.fixture
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every process read the keys anew each time, so that a rotation has nobody to wait for."""
    monkeypatch.setattr(vault, "KEYRING_SECONDS", 0.0)
    monkeypatch.setattr(rotation, "SETTLE_SECONDS", 0.0)


async def rotate(house: House) -> Rotation:
    async with commands.working(house.settings) as services:
        return await commands.rotate(services)


@pytest.mark.usefixtures("nobody_waits")
async def test_one_that_stopped_half_way_goes_on_where_it_was(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 3)
    comments = [await house.publish(email=f"reader{n % 2}@mail.example") for n in range(8)]
    last = UUID(comments[-1].id)
    whole = await break_address(house, last)
    [old] = await address_keys(house)
    with pytest.raises(Unavailable):
        await rotate(house)
    # Some lie under the new key, some under the old one, and everything still works.
    half_way = await address_keys(house)
    assert len(half_way) == 2
    assert await keys_in_use(house) == set(half_way)
    for comment in comments[:-1]:
        assert "email" in await reveal(house, comment.id)
    late = await house.submit(email="reader0@mail.example")
    assert (await house.look(late.id)).author.approved == 4
    await mend_address(house, last, whole)
    done = await rotate(house)
    assert done.deleted_keys == [old]
    assert done.addresses < len(comments) + 4
    # The unfinished rotation was finished, with no further key.
    assert await address_keys(house) == half_way[1:]
    assert (await house.look(late.id)).author.approved == 4
    assert await author_counts(house) == [4, 4]


async def break_address(house: House, row_id: UUID) -> bytes:
    """Make one sealed address unreadable, at which a rotation has to stop; gives its bytes."""
    async with house.database.writing() as session:
        row = await session.get_one(SealedAddress, row_id)
        whole, row.sealed = row.sealed, bytes(len(row.sealed))
        session.add(row)
        return whole


async def mend_address(house: House, row_id: UUID, whole: bytes) -> None:
    async with house.database.writing() as session:
        chosen = update(SealedAddress).where(col(SealedAddress.id) == row_id)
        await session.exec(chosen.values(sealed=whole))


async def author_counts(house: House) -> list[int]:
    async with house.database.reading() as session:
        return sorted(row.approved for row in (await session.exec(select(AuthorTally))).all())


@pytest.mark.usefixtures("nobody_waits")
async def test_counts_stay_right_whatever_is_decided_later(house: House) -> None:
    first, second = [await house.publish(email="dave@mail.example") for _ in range(2)]
    await rotate(house)
    await house.spam(first.id)
    await rotate(house)
    author = (await house.look(second.id)).author
    assert (author.approved, author.rejected, author.spam) == (1, 0, 1)
    assert await author_counts(house) == [1]


@pytest.mark.usefixtures("nobody_waits")
async def test_what_does_not_rotate_stays_valid(house: House) -> None:
    comment = await house.publish()
    browser = await house.sign_in("bob")
    await rotate(house)
    assert (await house.dave.get(f"/v1/receipts/{comment.receipt.token}")).status_code == 200
    assert (await browser.delete("/v1/moderation/claims")).status_code == 204
    async with commands.working(house.settings) as services:
        assert not any(chain.flaws for chain in await verify_logs(services))
