"""What is over is deleted, however much of it there is, and nothing else is."""

from datetime import timedelta

import pytest
from sqlmodel import col, select

from service.accounts.tables import Moderator, OneTimeLink, SignInSession
from service.housekeeping import BATCH, tidy_up
from service.process import start_services
from service.telemetry.metrics import Metrics
from tests.cast import House

pytestmark = pytest.mark.both

TIDIED = ("idempotency_key", "decision_key", "one_time_link", "sign_in_session")
KEPT = ("comment", "moderator", "bearer_token", "log_entry")


async def tidy(house: House) -> None:
    async with start_services(house.settings, house.clock, Metrics()) as services:
        await tidy_up(services)


async def rows(house: House, *tables: str) -> dict[str, int]:
    state = await house.state()
    return {table: len(state[table]) for table in tables}


async def leave_traces(house: House) -> None:
    """Use every kind of key and credential that ends by itself."""
    comment = (await house.try_submit(headers={"idempotency-key": "one"})).json()["id"]
    decisions = [{"comment": comment, "version": 1, "action": "approve"}]
    await house.bob.post(
        "/v1/moderation/decisions",
        json={"decisions": decisions},
        headers={"idempotency-key": "two"},
    )
    await house.sign_in("bob")
    await add_links(house, 1)


async def add_links(house: House, count: int) -> None:
    async with house.database.writing() as session:
        bob = (await session.exec(select(Moderator.id).where(col(Moderator.name) == "Bob"))).one()
        ends = house.clock() + timedelta(days=1)
        session.add_all(
            OneTimeLink(token_hash=bytes([number % 256, number // 256]), moderator_id=bob, expires_at=ends)
            for number in range(count)
        )


async def test_keys_and_credentials_go_when_their_time_is_over(house: House) -> None:
    await leave_traces(house)
    kept = await rows(house, *KEPT)
    await tidy(house)
    assert await rows(house, *TIDIED) == dict.fromkeys(TIDIED, 1)
    house.clock.advance(days=1, seconds=1)
    await tidy(house)
    assert await rows(house, *TIDIED) == dict.fromkeys(TIDIED, 0)
    assert await rows(house, *KEPT) == kept


async def test_a_session_that_is_used_all_the_time_ends_after_thirty_days(house: House) -> None:
    await house.sign_in("bob")
    house.clock.advance(days=30, seconds=1)
    async with house.database.writing() as session:
        [browser] = (await session.exec(select(SignInSession))).all()
        browser.last_used_at = house.clock()
        session.add(browser)
    await tidy(house)
    assert await rows(house, "sign_in_session") == {"sign_in_session": 0}


async def test_more_than_one_batch_is_deleted_at_a_time(house: House) -> None:
    await add_links(house, BATCH + 1)
    house.clock.advance(days=1, seconds=1)
    await tidy(house)
    assert await rows(house, "one_time_link") == {"one_time_link": 0}
