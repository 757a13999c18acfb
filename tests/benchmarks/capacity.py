"""What parts carry, from what each piece of work costs them: arithmetic, with no figures of its own."""

from collections.abc import Collection, Mapping

import msgspec

from service.database.group_commit import MAX_BATCH
from service.rate_limiting.fallback import MAX_TOGETHER

PARTS = ("nginx", "service", "postgres", "redis")
# A batch of submissions is this many exchanges with the database; from the first counter to the commit, which
# is this many of them, it holds the counters' rows of its sites.
EXCHANGES, LOCKED_EXCHANGES = 9, 4
# A request with decisions holds the same rows, and the head of the log behind them, for the last half.
DECISION_EXCHANGES, LOCKED_DECISION_EXCHANGES = 12, 7
# What a moderator's page sends at once.
DECIDED_TOGETHER = 20


class Cost(msgspec.Struct, frozen=True):
    """Microseconds of CPU that a piece of work takes in each part."""

    nginx: float = 0.0
    service: float = 0.0
    postgres: float = 0.0
    redis: float = 0.0

    def plus(self, other: "Cost", times: float = 1.0) -> "Cost":
        return Cost(*(getattr(self, one) + times * getattr(other, one) for one in PARTS))

    def times(self, factor: float) -> "Cost":
        return Cost().plus(self, factor)

    @property
    def total(self) -> float:
        return self.nginx + self.service + self.postgres + self.redis


class Costs(msgspec.Struct, frozen=True):
    """What was measured: what the model knows of the service."""

    hit: Cost
    miss: Cost
    stale: Cost
    """A read of a page that is in memory, but unchecked for too long, which the model takes for a miss."""
    refused: Cost
    """A submission until the limiter has answered, which is all that a refused one costs."""
    limiter_call: Cost
    """What tries that are counted in one call of Redis share."""
    taken: Cost
    """A submission that is stored, in all."""
    commit: Cost
    """What submissions that are stored in one transaction share."""
    decision_request: Cost
    decision: Cost
    """One decision of a request."""
    swept_page: Cost
    """Comparing a page that was asked for with the database."""
    company: float
    """How many times as long the service works where other processes of it share its core, and its caches."""
    sync_seconds: float
    page_bytes: int
    """A page as it goes to a browser, compressed."""


class Setup(msgspec.Struct, frozen=True):
    """How many of each part there are; all figures are assumptions, to be changed to one's own."""

    name: str
    machines: int
    euros_per_month: float
    cores: Mapping[str, int]
    """The cores of each part, none of which another part uses. A process of the service uses one."""
    is_one_core: bool = False
    """Whether there is a single core, which all parts share."""
    round_trip_seconds: float = 0.0
    """Between two machines."""
    is_by_page: bool = False
    """Whether the proxy sends all requests for a page to the same process."""
    edges: int = 0
    """The nodes of a CDN in front, each with a cache of its own."""

    def servers(self, part: str) -> int:
        return self.cores[part]


class Demand(msgspec.Struct, frozen=True):
    """What is asked for in a second."""

    hits: float = 0.0
    misses: float = 0.0
    taken: float = 0.0
    refused: float = 0.0
    decisions: float = 0.0
    swept_pages: float = 0.0


def work_of(costs: Costs, demand: Demand) -> Cost:
    """Give the microseconds of CPU that a second's demand takes, with batches as full as they get."""
    requests = demand.decisions / DECIDED_TOGETHER
    tries = demand.taken + demand.refused
    return (
        costs.hit.times(demand.hits)
        .plus(costs.miss, demand.misses)
        .plus(costs.taken, demand.taken)
        .plus(costs.commit, demand.taken / MAX_BATCH)
        .plus(costs.refused, demand.refused)
        .plus(costs.limiter_call, tries / MAX_TOGETHER)
        .plus(costs.decision_request, requests)
        .plus(costs.decision, demand.decisions)
        .plus(costs.swept_page, demand.swept_pages)
    )


def utilise(setup: Setup, work: Cost) -> dict[str, float]:
    """Give how much of each part a second's work takes; what is above 1 does not fit."""
    if setup.is_one_core:
        return {"core": work.total / 1e6}
    return {part: getattr(work, part) / 1e6 / setup.servers(part) for part in PARTS}


def find_fullest(use: Mapping[str, float]) -> tuple[str, float]:
    """Give the part that saturates first, and how full it is."""
    return max(use.items(), key=lambda item: item[1])


def hold_of_batch(costs: Costs, setup: Setup) -> float:
    """Give the seconds for which a batch of submissions holds the counters of a site."""
    cpu = (costs.commit.service + costs.commit.postgres) / 1e6
    waiting = LOCKED_EXCHANGES * setup.round_trip_seconds + costs.sync_seconds
    return cpu * LOCKED_EXCHANGES / EXCHANGES + waiting


def hold_of_decisions(costs: Costs, setup: Setup) -> float:
    """Give the seconds for which a request with decisions holds a site's counters and the head of its log."""
    work = costs.decision_request.plus(costs.decision, DECIDED_TOGETHER)
    cpu = (work.service + work.postgres) / 1e6
    waiting = LOCKED_DECISION_EXCHANGES * setup.round_trip_seconds + costs.sync_seconds
    return cpu * LOCKED_DECISION_EXCHANGES / DECISION_EXCHANGES + waiting


def use_rows(costs: Costs, setup: Setup, demand: Demand) -> float:
    """Give how much of the time the rows that all of one site's have in common are held."""
    batches, requests = demand.taken / MAX_BATCH, demand.decisions / DECIDED_TOGETHER
    return batches * hold_of_batch(costs, setup) + requests * hold_of_decisions(costs, setup)


def most_per_second(costs: Costs, setup: Setup, kind: str) -> float:
    """Give how many of one kind of demand fill the first part, when nothing else is asked for."""
    work = work_of(costs, Demand(**{kind: 1.0}))
    return 1 / find_fullest(utilise(setup, work))[1]


def most_taken_on_one_site(costs: Costs, setup: Setup) -> float:
    """Give how many submissions to one site are stored in a second."""
    in_turn = MAX_BATCH / hold_of_batch(costs, setup)
    return min(in_turn, most_per_second(costs, setup, "taken"))


def most_decided_on_one_site(costs: Costs, setup: Setup) -> float:
    """Give how many decisions about one site are made in a second, in requests of some each."""
    in_turn = DECIDED_TOGETHER / hold_of_decisions(costs, setup)
    return min(in_turn, most_per_second(costs, setup, "decisions"))


def split(
    alone: Cost, together: Cost, calls_alone: float, calls: float, parts: Collection[str] = PARTS
) -> tuple[Cost, Cost]:
    """Split what requests cost into each one's own part and that of a call which some of them share.

    Measured twice: with so many calls for each request when they come alone, and when together. In other
    `parts` nothing is shared: there what is saved in company is only that nobody has to be woken.
    """
    saved = alone.plus(together, -1).times(1 / (calls_alone - calls))
    # What noise has made negative is nothing.
    shared = Cost(*(max(0.0, getattr(saved, one)) if one in parts else 0.0 for one in PARTS))
    each = together.plus(shared, -calls)
    return Cost(*(max(0.0, getattr(each, one)) for one in PARTS)), shared
