"""A PostgreSQL that falls silent with connections open: whatever is asked is answered, and it heals."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from service.clock import new_id
from service.settings import Settings
from tests.cast import PASSWORD, PUBLIC_URL, SUBMIT, Furnished, House, email_of, furnish, open_house
from tests.processes import Server
from tests.servers import fresh_database, start_private_postgres
from tests.waiting import find_waiting, until

# Never reached unless something hangs.
DEADLINE_SECONDS = 30
READY = "/health/ready"
NEVER_RETRIEVED = "exception was never retrieved"


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with start_private_postgres() as server:
        yield server


@pytest.fixture(scope="module")
async def furnished(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Furnished]:
    """Give the cast on a server that may be broken."""
    with fresh_database(postgres.url) as url:
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
        folder = tmp_path_factory.mktemp("silent")
        yield await furnish(Settings(data_dir=folder, database_url=url, public_url=PUBLIC_URL))


@pytest.fixture(scope="module")
def postgres_server(postgres: Server) -> str:
    return postgres.url


@pytest.fixture
async def house(furnished: Furnished, furnished_url: str, tmp_path: Path) -> AsyncIterator[House]:
    # Patient enough for a busy machine, and no longer: these tests wait it out again and again.
    folder = tmp_path / "data"
    async with open_house(furnished, furnished_url, folder, database_patience_seconds=2) as house:
        yield house


@contextmanager
def frozen(postgres: Server) -> Iterator[None]:
    postgres.freeze()
    try:
        yield
    finally:
        postgres.thaw()


async def test_every_request_is_told_so_and_works_again_afterwards(
    house: House, postgres: Server, caplog: pytest.LogCaptureFixture
) -> None:
    taken = await house.publish()
    browser = await house.sign_in("alice")
    receipt = f"/v1/receipts/{taken.receipt.token}"
    account = {"email": email_of("bob"), "password": PASSWORD}
    # A stale one, which changes nothing for what is asked beside it.
    decision = {"comment": taken.id, "version": 1, "action": "reject"}

    def ask_everything(tag: str) -> list[asyncio.Task[httpx.Response]]:
        dave, bob = house.dave, house.bob
        requests = [
            # A page of a size that nobody asked for is not in memory.
            dave.get(SUBMIT, params={"article": "/post", "limit": len(tag)}),
            dave.get(f"{SUBMIT}/{new_id()}"),
            dave.get(f"/v1/sites/blog/counts?article=/{tag}"),
            dave.get(f"/v1/sites/blog/comments.atom?article=/{tag}"),
            dave.get(f"/v1/sites/blog/comments.html?article=/{tag}"),
            dave.get(f"/v1/sites/blog/form?article=/{tag}"),
            dave.get(f"/v1/sites/elsewhere/form?article=/{tag}"),
            house.try_submit(text=f"Plain {tag}."),
            house.try_submit(text=f"Reply {tag}.", parent=taken.id),
            house.try_submit(text=f"Keyed {tag}.", headers={"idempotency-key": tag}),
            dave.get(receipt),
            dave.patch(receipt, json={"text": f"Better {tag}."}),
            dave.post("/v1/session", json=account),
            browser.get("/v1/moderation/comments"),
            bob.get("/v1/moderation/comments"),
            bob.post("/v1/moderation/decisions", json={"decisions": [decision]}),
            bob.get("/v1/moderation/log"),
            house.alice.get("/v1/sites"),
        ]
        return [asyncio.create_task(request) for request in requests]

    async def answers(tag: str) -> list[int]:
        async with asyncio.timeout(DEADLINE_SECONDS):
            found = await asyncio.gather(*ask_everything(tag))
        for one in found:
            assert one.status_code < 500 or "retry-after" in one.headers, one.text
        return [one.status_code for one in found]

    assert max(await answers("a")) < 500
    with frozen(postgres):
        # What is remembered for a second tells nothing of the database.
        await forget(house)
        silent = await answers("bb")
        # A second time, when connections have been given up and new ones are asked for.
        silent_again = await answers("ccc")
    assert silent == silent_again == [503] * len(silent)

    async def works() -> bool:
        return max(await answers("dddd")) < 500

    await until(works)
    gc.collect()
    await asyncio.sleep(0)
    assert NEVER_RETRIEVED not in caplog.text


async def forget(house: House) -> None:
    services = house.app.process.services
    services.directory.forget()
    services.articles.forget()


async def test_what_waits_to_be_stored_can_be_sent_again_and_is_stored_once(
    house: House, postgres: Server
) -> None:
    url = house.settings.database_url.replace("+psycopg", "")

    async def send(number: int) -> int:
        headers = {"idempotency-key": f"key-{number}"}
        return (await house.try_submit(text=f"Number {number}.", headers=headers)).status_code

    async with asyncio.timeout(2 * DEADLINE_SECONDS):
        # The first is in the middle of being written when the server falls silent, the others wait.
        async with await psycopg.AsyncConnection[tuple[int]].connect(url) as admin:
            await admin.execute("LOCK TABLE status_tally IN EXCLUSIVE MODE")
            first = asyncio.create_task(send(0))
            await find_waiting(admin)
            rest = [asyncio.create_task(send(number)) for number in range(1, 20)]
            with frozen(postgres):
                assert {await task for task in (first, *rest)} == {503}

        for number in range(20):
            while await send(number) != 202:
                pass
    rows = (await house.state())["comment"]
    assert sorted(row["text"] for row in rows) == sorted(f"Number {one}." for one in range(20))


@pytest.mark.parametrize(("harm", "heal"), [(Server.freeze, Server.thaw), (Server.kill, Server.start)])
async def test_health_and_metrics_answer_always(
    house: House, postgres: Server, harm: Callable[[Server], None], heal: Callable[[Server], None]
) -> None:
    local = house.client("127.0.0.1")

    async def metrics() -> str:
        answer = await local.get("/metrics")
        assert answer.status_code == 200
        return answer.text

    async def is_up() -> bool:
        return "greenroom_database_up 1.0" in await metrics()

    assert (await local.get(READY)).json()["status"] == "ready"
    assert "greenroom_log_length{" in await metrics()
    harm(postgres)
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            found = await metrics()
            ready = await local.get(READY)
            live = await local.get("/health/live")
        assert "greenroom_database_up 0.0" in found
        # It is not known what the logs are now.
        assert "greenroom_log_length{" not in found
        assert ready.status_code == 503
        assert ready.json()["parts"]["database"] == "unreachable"
        assert live.status_code == 200
    finally:
        heal(postgres)
    await until(is_up)
    assert "greenroom_log_length{" in await metrics()
    assert (await local.get(READY)).json()["status"] == "ready"
