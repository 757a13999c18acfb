"""A clock that was ahead and was set right: what was stored meanwhile stands in nobody's way until then."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlmodel import col, select, update

from service.clock import new_id
from service.command_line import commands
from service.privacy import rotation, vault
from service.privacy.tables import DataKey, SealedAddress
from tests.cast import House, email_of

CLAIMS = "/v1/moderation/claims"
QUEUE = "/v1/moderation/comments"


@contextmanager
def clock_ahead(house: House, **by: float) -> Iterator[None]:
    """Let the clock be ahead for the length of a block, by 400 days unless told otherwise."""
    by = by or {"days": 400}
    house.clock.advance(**by)
    yield
    house.clock.advance(**{unit: -amount for unit, amount in by.items()})


async def claim(client: httpx.AsyncClient, limit: int = 10) -> list[str]:
    """Claim comments for as long as one may, and give the ids of those that are newly held."""
    command = {"site": "blog", "limit": limit, "lease_seconds": 900, "order": "oldest"}
    answer = await client.post(CLAIMS, json=command)
    assert answer.status_code == 200, answer.text
    return [comment["id"] for comment in answer.json()["comments"]]


async def renew(client: httpx.AsyncClient, comment: str) -> list[Any]:
    command = {"comments": [comment], "lease_seconds": 900}
    renewed: list[Any] = (await client.put(CLAIMS, json=command)).json()["comments"]
    return renewed


async def test_a_claim_holds_nobody_up(house: House) -> None:
    taken, decided = [(await house.submit()).id for _ in range(2)]
    with clock_ahead(house):
        assert await claim(house.alice) == [taken, decided]
    assert (await house.look(taken)).claim is None
    assert await renew(house.alice, taken) == []
    # It is Bob who decides for the cast, and every decision has to be applied.
    await house.approve(decided)
    assert await claim(house.bob) == [taken]
    assert len(await renew(house.bob, taken)) == 1
    assert await claim(house.alice) == []


async def test_a_claim_does_not_count_against_its_holder(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.moderation.claims.MAX_CLAIMS", 1)
    for _ in range(2):
        await house.submit()
    with clock_ahead(house):
        assert len(await claim(house.bob)) == 1
    assert len(await claim(house.bob)) == 1


async def test_a_clock_that_is_a_little_behind_takes_nobody_s_claim(house: House) -> None:
    await house.submit()
    await claim(house.bob)
    with clock_ahead(house, seconds=-5):
        assert await claim(house.alice) == []


async def test_a_session_that_began_far_ahead_is_none(house: House) -> None:
    with clock_ahead(house):
        browser = await house.sign_in("bob")
    assert (await browser.get(QUEUE)).status_code == 401


async def test_a_session_ends_twelve_hours_after_its_use_by_the_right_clock(house: House) -> None:
    browser = await house.sign_in("bob")
    with clock_ahead(house, hours=6):
        assert (await browser.get(QUEUE)).status_code == 200
    assert (await browser.get(QUEUE)).status_code == 200
    house.clock.advance(hours=12)
    assert (await browser.get(QUEUE)).status_code == 401


async def test_a_one_time_link_of_a_far_day_opens_nothing(house: House) -> None:
    with clock_ahead(house):
        async with commands.working(house.settings) as services:
            services.clock = house.clock
            link = await commands.make_sign_in_link(services, email_of("bob"))
    assert (await house.client().get(link)).status_code == 404


async def test_the_window_for_corrections_is_no_longer_than_ever(house: House) -> None:
    with clock_ahead(house):
        submitted = await house.submit()
    receipt = f"/v1/receipts/{submitted.receipt.token}"
    assert "edit" not in (await house.dave.get(receipt)).json()["can"]
    with clock_ahead(house, seconds=-5):
        later = await house.submit()
    assert "edit" in (await house.dave.get(f"/v1/receipts/{later.receipt.token}")).json()["can"]


async def test_a_rotation_goes_to_its_own_key(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "KEYRING_SECONDS", 0.0)
    monkeypatch.setattr(rotation, "SETTLE_SECONDS", 0.0)
    await house.submit()
    async with house.database.writing() as session:
        is_old = col(DataKey.purpose) == "address"
        [old] = (await session.exec(select(DataKey.id).where(is_old))).all()
        far = update(DataKey).where(is_old)
        await session.exec(far.values(created_at=house.clock().replace(year=2099)))
    async with commands.working(house.settings) as services:
        rotated = await commands.rotate(services)
    assert rotated.deleted_keys == [old]
    async with house.database.reading() as session:
        assert old not in (await session.exec(select(SealedAddress.key_id))).all()


def test_ids_follow_the_clock_back(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    ahead = now + 400 * 86_400 * 10**9
    moments = iter([now, ahead, now + 10**6, now - 10**9, now + 1])
    monkeypatch.setattr(time, "time_ns", lambda: next(moments))
    first, far, *rest = [new_id() for _ in range(5)]
    assert first < rest[0] < rest[1] < rest[2] < far
    assert rest[2].version == 7
    assert abs((rest[2].int >> 80) - now // 1_000_000) < 1_000
