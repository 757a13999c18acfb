"""The capacity model keeps to the laws of queues, whatever was measured: nothing is lost, nothing is made."""

import random

import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st

from service.database.group_commit import MAX_BATCH
from service.settings import Settings
from tests.benchmarks.capacity import (
    DECIDED_TOGETHER,
    Cost,
    Costs,
    Demand,
    Setup,
    find_fullest,
    most_decided_on_one_site,
    most_per_second,
    split,
    utilise,
    work_of,
)
from tests.benchmarks.popularity import behind_edges, count_in_use, hit_ratio, reads_of, spread
from tests.benchmarks.queues import Part
from tests.benchmarks.runs import run_closed, run_open
from tests.benchmarks.scenarios import MANY_READS, RAID, WITH_CDN, forecast
from tests.benchmarks.simulated import House

pytestmark = pytest.mark.long

# Of the size that was measured once; no test depends on that.
COSTS = Costs(
    hit=Cost(20, 20),
    miss=Cost(50, 1_000, 500),
    stale=Cost(50, 1_000, 500),
    refused=Cost(40, 250, 0, 10),
    limiter_call=Cost(service=200, redis=30),
    taken=Cost(50, 500, 100, 30),
    commit=Cost(service=1_000, postgres=400),
    decision_request=Cost(150, 9_000, 2_000),
    decision=Cost(service=250, postgres=150),
    swept_page=Cost(service=20, postgres=10),
    company=2.0,
    sync_seconds=0.001,
    page_bytes=3_000,
)
ONE_CORE = Setup("one core", 1, 0, dict.fromkeys(("nginx", "service", "postgres", "redis"), 1), True)
FOUR = Setup("four", 1, 0, {"nginx": 2, "service": 4, "postgres": 2, "redis": 1})


def make_house(setup: Setup = ONE_CORE) -> House:
    return House(setup, COSTS, has_one_site=True)


@pytest.mark.parametrize("kind", ["hits", "misses", "refused", "taken", "decisions"])
def test_clients_are_throughput_times_time(kind: str) -> None:
    outcome = run_closed(make_house(), kind, clients=32, seconds=10)
    took = outcome.seconds[kind]
    # Little's law.
    assert outcome.per_second[kind] * sum(took) / len(took) == pytest.approx(32, rel=0.05)


def test_utilisation_is_arrivals_times_work() -> None:
    outcome = run_open(make_house(FOUR), {"hits": 5_000, "misses": 500}, seconds=4)
    expected = utilise(FOUR, work_of(COSTS, Demand(hits=5_000, misses=500)))
    for part in ("nginx", "service", "postgres"):
        assert outcome.use[part] == pytest.approx(expected[part], rel=0.1)


@pytest.mark.parametrize("kind", ["hits", "misses"])
def test_a_saturated_part_bounds_the_throughput(kind: str) -> None:
    most = most_per_second(COSTS, FOUR, kind)
    flooded = run_open(make_house(FOUR), {kind: 2 * most}, seconds=1)
    assert 0.9 * most < flooded.per_second[kind] < 1.05 * most


def test_random_arrivals_wait_as_the_formula_says() -> None:
    env, source = simpy.Environment(), random.Random(1)  # noqa: S311 - Nothing secret comes of it.
    part, waited = Part(env, 1), []

    def visit() -> simpy.events.ProcessGenerator:
        started = env.now
        yield from part.work(1_000)
        waited.append(env.now - started - 0.001)

    def arrive() -> simpy.events.ProcessGenerator:
        while True:
            yield env.timeout(source.expovariate(800))
            env.process(visit())

    env.process(arrive())
    env.run(until=100)
    # Pollaczek and Khinchine, for work that is always the same.
    assert sum(waited) / len(waited) == pytest.approx(0.8 * 0.001 / (2 * 0.2), rel=0.1)


def test_a_batch_is_never_fuller_than_the_writer_makes_it() -> None:
    house = make_house(FOUR)
    outcome = run_open(house, {"taken": 20_000}, seconds=1)
    sizes = [size for process in house.processes for size in process.writer.sizes]
    assert max(sizes) == MAX_BATCH
    assert max(max(process.limiter.sizes) for process in house.processes) <= 50
    most = Settings().max_waiting_submissions
    assert all(len(process.writer) <= most for process in house.processes)
    assert outcome.mean_batch <= MAX_BATCH


def test_one_log_bounds_the_decisions_of_one_site_however_many_processes_there_are() -> None:
    many = Setup("", 1, 0, {"nginx": 8, "service": 64, "postgres": 64, "redis": 1})
    outcome = run_closed(make_house(many), "decisions", clients=64, seconds=5)
    decided = outcome.per_second["decisions"] * DECIDED_TOGETHER
    assert decided == pytest.approx(most_decided_on_one_site(COSTS, many), rel=0.1)
    assert decided < 0.5 * most_per_second(COSTS, many, "decisions")


def test_the_same_seed_gives_the_same_run() -> None:
    first, second = (run_closed(make_house(), "taken", 8, 1) for _ in range(2))
    assert first == second


@given(
    each=st.floats(0, 1e4),
    shared=st.floats(0, 1e4),
    calls=st.floats(0.01, 0.9),
)
def test_what_was_added_up_is_taken_apart_again(each: float, shared: float, calls: float) -> None:
    alone, together = Cost(service=each + shared), Cost(service=each + calls * shared)
    found, found_shared = split(alone, together, 1, calls, {"service"})
    assert found.service == pytest.approx(each, abs=1e-3)
    assert found_shared.service == pytest.approx(shared, abs=1e-3)


@given(pages=st.integers(1, 10**7), reads=st.floats(1, 1e6), edges=st.integers(1, 100))
def test_caches_lose_no_reads_and_make_none(pages: int, reads: float, edges: int) -> None:
    wanted = spread(pages, reads)
    assert reads_of(wanted) == pytest.approx(reads)
    assert sum(one.pages for one in wanted) == pages
    origin = behind_edges(wanted, edges, 2)
    # Each node asks for a page at most every two seconds.
    assert reads_of(origin) <= min(reads * 1.001, pages * edges / 2)
    assert 0 <= hit_ratio(wanted, edges, 2) <= hit_ratio(wanted, 1, 2) <= 1
    assert count_in_use(wanted, 1) <= min(pages, reads) * 1.001


def test_a_forecast_names_the_part_that_is_full_first() -> None:
    found = forecast(ONE_CORE, MANY_READS, COSTS, disk=1_000, seconds=0.1)
    assert found.fullest == find_fullest(found.use)
    assert found.fullest[0] == "core"
    assert found.quantiles is None


def test_a_raid_that_fits_leaves_everybody_an_answer() -> None:
    found = forecast(WITH_CDN, RAID, COSTS, disk=1_000, seconds=0.1)
    assert found.fullest[1] < 1
    assert found.quantiles is not None
    assert 0 < found.quantiles["submission"] < 1
