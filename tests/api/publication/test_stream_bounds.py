"""Streams are bounded in number and time, cost little, and leave nothing behind."""

from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from service.publication import streams
from service.publication.live import Live
from service.rate_limiting.leases import RENEWAL_SECONDS
from tests.answers import problem_of
from tests.cast import Furnished, House, open_house
from tests.plans import statements_of
from tests.streams import Reader, following
from tests.waiting import until


def live_of(house: House) -> Live:
    live: Live = house.app.process.live
    return live


async def metric(house: House, name: str) -> float:
    text = (await house.client("127.0.0.1").get("/metrics")).text
    lines = [line.rpartition(" ") for line in text.splitlines()]
    return next(float(value) for found, _, value in lines if found == name)


async def test_its_headers_keep_everybody_from_keeping_or_collecting_it(house: House) -> None:
    async with following(house) as reader:
        assert reader.headers["content-type"] == "text/event-stream"
        assert reader.headers["cache-control"] == "no-store"
        assert reader.headers["x-accel-buffering"] == "no"
        assert reader.headers["access-control-allow-origin"] == "*"
        assert reader.headers["x-content-type-options"] == "nosniff"
        assert "content-length" not in reader.headers


async def test_many_who_follow_one_article_cost_one_query_a_change_and_none_without(
    house: House,
) -> None:
    await house.publish()
    async with AsyncExitStack() as stack:
        readers = [
            await stack.enter_async_context(following(house, ip=f"203.0.113.{number}"))
            for number in range(100)
        ]
        assert await metric(house, "greenroom_streams") == 100
        reads = await metric(house, "greenroom_page_reads_total")
        with statements_of(house, "public_revision >") as sent:
            taken = await house.publish()
            for reader in readers:
                await reader.until(("approved", taken.id))
            await live_of(house).look()
            await live_of(house).look()
        assert len(sent) == 1
        assert await metric(house, "greenroom_page_reads_total") == reads + 1
    assert await metric(house, "greenroom_streams") == 0


async def test_a_silent_stream_says_that_it_is_there(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.05)
    async with following(house) as reader:
        with statements_of(house, "public_revision") as sent:

            async def was_heard() -> bool:
                return reader.comments > 2

            await until(was_heard)
        assert (sent, reader.seen) == ([], [])


async def test_a_stream_ends_by_itself_some_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LIFE_SECONDS", (0.05, 0.06))
    async with following(house) as reader:

        async def has_ended() -> bool:
            return reader.has_ended

        await until(has_ended)


async def test_a_reader_who_does_not_read_is_waited_for_and_gets_all_of_it(house: House) -> None:
    async with following(house) as reader:
        reader.can_read.clear()
        ids = [(await house.publish()).id for _ in range(3)]
        reader.can_read.set()
        await reader.until(*(("approved", one) for one in ids))


async def test_who_leaves_leaves_nothing_behind(house: House) -> None:
    for _ in range(3):
        async with following(house) as reader:
            reader.leave()

            async def has_ended(reader: Reader = reader) -> bool:
                return reader.has_ended

            await until(has_ended)
    assert vars(live_of(house))["_followed"] == {}
    leases = house.app.process.services.leases
    assert vars(leases)["_open"] == set()
    assert vars(vars(leases)["_here"])["_ends_us"] == {}


async def test_over_ten_streams_of_one_network_are_refused(house: House) -> None:
    async with AsyncExitStack() as stack:
        for number in range(10):
            one = following(house, f"/{number % 3}", ip=f"2001:db8::{number + 1}")
            assert (await stack.enter_async_context(one)).status == 200
        refused = await stack.enter_async_context(following(house, ip="2001:db8::ff"))
        assert refused.status == 429
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["retry-after"] == str(RENEWAL_SECONDS)
        assert refused.headers["ratelimit-policy"].startswith('"streams";q=10')
        assert refused.headers["ratelimit"].startswith('"streams";r=0;')
        elsewhere = following(house, ip="2001:db8:0:1::1")
        assert (await stack.enter_async_context(elsewhere)).status == 200
    async with following(house, ip="2001:db8::1") as again:
        assert again.status == 200


async def test_a_process_has_so_many_streams_and_no_more(house: House) -> None:
    live_of(house)._max = 1
    async with following(house), following(house, ip="203.0.113.8") as refused:
        assert refused.status == 503
        assert refused.headers["retry-after"] == "30"


async def test_what_a_stream_lasted_is_not_in_the_time_that_answers_take(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1.0]
    monkeypatch.setattr("service.http.edge.time", SimpleNamespace(perf_counter=lambda: now[0]))
    async with following(house):
        now[0] = 1_000.0
    route = 'route="/v1/sites/{site}/comments/stream"'
    assert await metric(house, f"greenroom_http_request_seconds_sum{{{route}}}") == 0
    labels = f'method="GET",{route},status="200"'
    assert await metric(house, f"greenroom_http_requests_total{{{labels}}}") == 1


@pytest.mark.parametrize("furnished", ["sqlite"], indirect=True)
async def test_a_process_carries_as_many_as_its_setting_says(
    furnished: Furnished, furnished_url: str, tmp_path: Path
) -> None:
    async with (
        open_house(furnished, furnished_url, tmp_path / "data", max_streams=1) as house,
        following(house),
    ):
        refused = await house.dave.get("/v1/sites/blog/comments/stream?article=/post")
    assert refused.headers["retry-after"]
    problem_of(refused, 503)
