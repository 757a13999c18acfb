"""Work that takes long beside the service: in pieces, with room for everybody else between them."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import event
from sqlmodel import col, select, update

from service import housekeeping
from service.command_line import commands
from service.command_line.log import verify_logs
from service.concurrency.pacing import HELD_SECONDS, Pace
from service.housekeeping import tidy_up
from service.modlog import operations as modlog
from service.privacy import rotation, vault
from service.process import start_services
from service.sites.tables import Site
from service.submission.tables import IdempotencyKey
from service.telemetry.metrics import Metrics
from tests.cast import House


def test_a_piece_is_as_large_as_fits_into_the_time() -> None:
    pace = Pace(50, 1_000)
    for _ in range(3):
        # Growing takes several pieces.
        pace.adapt(HELD_SECONDS / 10)
    assert pace.size == 400
    pace.adapt(HELD_SECONDS * 4)
    assert pace.size == 100
    for _ in range(20):
        pace.adapt(0.0)
    assert pace.size == 1_000
    # On a machine that has other things to do the work goes on all the same.
    pace.adapt(HELD_SECONDS * 100)
    assert pace.size == 50


Rest = Callable[[float], Awaitable[None]]


@pytest.fixture
async def others(house: House) -> tuple[Rest, list[float]]:
    """Give a pause in which somebody else writes, and the pauses that there were."""
    pauses: list[float] = []

    async def rest(seconds: float) -> None:
        # Were anything still open on SQLite, it would wait in vain.
        async with house.database.writing() as session:
            await session.exec(update(Site).values(title="Changed"))
        pauses.append(seconds)

    return rest, pauses


async def test_a_rotation_lets_others_write_after_each_piece(
    house: House, monkeypatch: pytest.MonkeyPatch, others: tuple[Rest, list[float]]
) -> None:
    rest, pauses = others
    for module, name, value in (
        (vault, "KEYRING_SECONDS", 0.0),
        (rotation, "SETTLE_SECONDS", 0.0),
        (rotation, "BATCH", 1),
        (rotation, "MAX_BATCH", 1),
        (rotation, "rest", rest),
    ):
        monkeypatch.setattr(module, name, value)
    for _ in range(4):
        await house.submit()
    told: list[tuple[int, int]] = []
    async with commands.working(house.settings) as services:
        done = await commands.rotate(services, lambda *count: told.append(count))
    # The addresses of the moderators are among them.
    assert done.addresses == len(pauses) == 8
    # Then it looks again for what was late, and there is nothing.
    assert told == [*((number, 8) for number in range(9)), (0, 0)]
    assert all(seconds > 0 for seconds in pauses)


async def test_housekeeping_lets_others_write_after_each_piece(
    house: House, monkeypatch: pytest.MonkeyPatch, others: tuple[Rest, list[float]]
) -> None:
    rest, pauses = others
    monkeypatch.setattr(housekeeping, "BATCH", 2)
    monkeypatch.setattr(housekeeping, "rest", rest)
    for number in range(5):
        await house.try_submit(headers={"idempotency-key": str(number)})
    house.clock.advance(days=2)
    async with start_services(house.settings, house.clock, Metrics()) as services:
        await tidy_up(services)
    assert len(pauses) == 2
    async with house.database.reading() as session:
        assert (await session.exec(select(col(IdempotencyKey.key_hash)))).all() == []


async def test_checking_a_long_log_is_many_short_transactions(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modlog, "CHUNK", 2)
    for _ in range(5):
        await house.publish()
    begun: list[object] = []
    async with commands.working(house.settings) as services:
        event.listen(services.database.engine.sync_engine, "begin", begun.append)
        [chain] = [one for one in await verify_logs(services) if one.name == "blog"]
    assert chain.flaws == []
    assert len(begun) > chain.head.length / 2
