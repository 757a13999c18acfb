"""What is asked of an installation, and what the model says of it.

All figures here are assumptions, to be changed to one's own.
"""

import msgspec

from service.publication.cache.read_through import REVALIDATION_SECONDS
from service.publication.cache.store import FRESH_SECONDS
from tests.benchmarks.capacity import (
    DECIDED_TOGETHER,
    Costs,
    Demand,
    Setup,
    find_fullest,
    use_rows,
    utilise,
    work_of,
)
from tests.benchmarks.popularity import (
    behind_edges,
    count_in_use,
    divide,
    hit_ratio,
    reads_of,
    spread,
)
from tests.benchmarks.runs import run_open
from tests.benchmarks.simulated import House

# Between machines of one data centre.
ROUND_TRIP_SECONDS = 0.0002
# `s-maxage` of public answers.
EDGE_SECONDS = 2
# A look confirms what was asked for since the one before, so that it stays fresh a little longer.
LIFETIME_SECONDS = FRESH_SECONDS + REVALIDATION_SECONDS / 2
ONE_CORE = Setup("one core", 1, 6, dict.fromkeys(("nginx", "service", "postgres", "redis"), 1), True)
ONE_MACHINE = Setup("one machine", 1, 60, {"nginx": 2, "service": 4, "postgres": 1, "redis": 1})
# Eight machines with nginx and the service, one with PostgreSQL, one with Redis, of which a core is used.
TEN_CORES = {"nginx": 16, "service": 48, "postgres": 8, "redis": 1}
TEN_MACHINES = Setup("ten machines", 10, 600, TEN_CORES, round_trip_seconds=ROUND_TRIP_SECONDS)
BY_PAGE = msgspec.structs.replace(TEN_MACHINES, name="the same, by page", is_by_page=True)
WITH_CDN = msgspec.structs.replace(TEN_MACHINES, name="ten machines and a CDN", edges=20)
SETUPS = (ONE_CORE, ONE_MACHINE, TEN_MACHINES, BY_PAGE, WITH_CDN)

EUROS_PER_GIGABYTE_OF_DISK = 0.1
EUROS_PER_GIGABYTE_FROM_CDN = 0.005
SECONDS_OF_MONTH = 30 * 86_400
# What is read on average, of what is read in the busiest second.
AVERAGE_OF_PEAK = 1 / 3


class Scenario(msgspec.Struct, frozen=True):
    """The busiest second of an installation: reads spread over pages, and what is written."""

    name: str
    comments: float
    """How many are stored."""
    pages: int
    demand: Demand
    """All reads stand here as hits; how many of them are misses comes of the caches."""
    has_one_site: bool = False

    def describe(self) -> str:
        asked = self.demand
        where = "one site" if self.has_one_site else "many sites"
        return (
            f"**{self.name}**: {asked.hits:,.0f} reads a second of {self.pages:,} pages, submissions of which"
            f" {asked.taken:,.0f} are stored and {asked.refused:,.0f} refused, {asked.decisions:,.0f}"
            f" decisions, on {where} with {self.comments:,.0f} comments."
        )


MANY_COMMENTS = Scenario("10⁹ comments", 1e9, 10_000_000, Demand(hits=10_000, taken=100, decisions=100))
MANY_READS = Scenario("10⁵ reads/s", 1e7, 10_000, Demand(hits=100_000, taken=100, decisions=100))
# Two a second is what `limit.article` lets through by default.
RAID = Scenario(
    "A raid of 10⁴ submissions/s on one article",
    1e6,
    1_000,
    Demand(hits=1_000, taken=2, refused=9_998, decisions=10),
    True,
)
RAID_WITHOUT_LIMITS = Scenario(
    "The same raid with the limits off",
    1e6,
    1_000,
    Demand(hits=1_000, taken=10_000, decisions=10),
    True,
)
SCENARIOS = (MANY_COMMENTS, MANY_READS, RAID, RAID_WITHOUT_LIMITS)


class Forecast(msgspec.Struct, frozen=True):
    """What the model says of a scenario on a set-up."""

    from_edges: float
    from_memory: float
    """Of the reads that reach the service."""
    use: dict[str, float]
    quantiles: dict[str, float] | None
    """The p99 of a read and of a submission in seconds, unless something is too full for there to be one."""
    euros_per_month: float

    @property
    def fullest(self) -> tuple[str, float]:
        return find_fullest(self.use)


def forecast(setup: Setup, scenario: Scenario, costs: Costs, disk: float, seconds: float) -> Forecast:
    """Put a scenario on a set-up; `disk` is the bytes of a comment, `seconds` how long to simulate."""
    asked = scenario.demand
    wanted = spread(scenario.pages, asked.hits)
    origin = behind_edges(wanted, setup.edges, EDGE_SECONDS)
    reads, processes = reads_of(origin), setup.servers("service")
    # How many processes are asked for one page.
    askers = 1 if setup.is_by_page else processes
    fresh = hit_ratio(origin, askers, LIFETIME_SECONDS)
    # What a decision changes is dropped by every process, and read again by each that is asked for it.
    misses = min(reads, reads * (1 - fresh) + asked.decisions * askers)
    in_use = askers * count_in_use(divide(origin, askers), REVALIDATION_SECONDS)
    swept = in_use / REVALIDATION_SECONDS
    demand = msgspec.structs.replace(asked, hits=reads - misses, misses=misses, swept_pages=swept)
    use = utilise(setup, work_of(costs, demand))
    if scenario.has_one_site:
        use["rows of the site"] = use_rows(costs, setup, demand)
    fits = find_fullest(use)[1] < 1
    quantiles = _simulate(setup, scenario, costs, demand, in_use / processes, seconds) if fits else None
    euros = _price(setup, scenario, costs, disk, asked.hits)
    return Forecast(max(0.0, 1 - reads / asked.hits), 1 - misses / reads, use, quantiles, euros)


def _simulate(
    setup: Setup, scenario: Scenario, costs: Costs, demand: Demand, in_use: float, seconds: float
) -> dict[str, float]:
    house = House(setup, costs, has_one_site=scenario.has_one_site, swept_pages=in_use)
    rates = {
        "hits": demand.hits,
        "misses": demand.misses,
        "taken": demand.taken,
        "refused": demand.refused,
        "decisions": demand.decisions / DECIDED_TOGETHER,
    }
    outcome = run_open(house, rates, seconds)
    return {
        "read": outcome.quantile(["hits", "misses"], 0.99),
        "submission": outcome.quantile(["taken", "refused"], 0.99),
    }


def _price(setup: Setup, scenario: Scenario, costs: Costs, disk: float, reads_per_second: float) -> float:
    price = setup.euros_per_month + scenario.comments * disk / 1e9 * EUROS_PER_GIGABYTE_OF_DISK
    if setup.edges:
        reads = reads_per_second * AVERAGE_OF_PEAK * SECONDS_OF_MONTH
        price += reads * costs.page_bytes / 1e9 * EUROS_PER_GIGABYTE_FROM_CDN
    return price
