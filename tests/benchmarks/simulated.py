"""An installation that is simulated, event by event: queues, shared calls and commits, locks.

It knows only what a piece of work costs (`capacity.Costs`) and how many of each part there are. Work varies
at random about its mean, from a seed, so that the same costs give the same result.
"""

import random
from collections.abc import Generator, Mapping
from typing import Any

import msgspec
import simpy

from service.database.group_commit import MAX_BATCH
from service.publication.cache.read_through import REVALIDATION_SECONDS
from service.rate_limiting.fallback import MAX_TOGETHER
from service.settings import Settings
from tests.benchmarks.capacity import (
    DECIDED_TOGETHER,
    DECISION_EXCHANGES,
    EXCHANGES,
    LOCKED_DECISION_EXCHANGES,
    LOCKED_EXCHANGES,
    PARTS,
    Cost,
    Costs,
    Setup,
)
from tests.benchmarks.queues import Group, Part, Steps

# How much work varies: its standard deviation is the square root of this one's inverse, a half of the mean.
SHAPE = 4


class Process:
    """A process of the service: its turns on a core, its calls of the limiter, its writer."""

    def __init__(self, house: "House", part: Part) -> None:
        self._house, self._costs, self.part = house, house.costs, part
        self.limiter = Group(house.env, MAX_TOGETHER, self._charge)
        self.writer = Group(house.env, MAX_BATCH, self._store)

    def work(self, microseconds: float) -> Steps:
        return self.part.work(self._house.vary(microseconds))

    def _charge(self, tries: int) -> Steps:
        call = self._costs.limiter_call.plus(Cost(redis=self._costs.refused.redis), tries)
        yield from self.work(call.service)
        yield self._house.env.timeout(self._house.setup.round_trip_seconds)
        yield from self._house.parts["redis"].work(self._house.vary(call.redis))

    def _store(self, count: int) -> Steps:
        own = self._house.slow(self._costs.taken.plus(self._costs.refused, -1)).times(count)
        locked = self._costs.commit.times(LOCKED_EXCHANGES / EXCHANGES)
        yield from self.exchange(own.plus(self._costs.commit).plus(locked, -1), EXCHANGES - LOCKED_EXCHANGES)
        yield from self._house.commit(self, locked, LOCKED_EXCHANGES)

    def exchange(self, cost: Cost, round_trips: int) -> Steps:
        """Work in turn with the database."""
        yield from self.work(cost.service)
        yield self._house.env.timeout(round_trips * self._house.setup.round_trip_seconds)
        yield from self._house.parts["postgres"].work(self._house.vary(cost.postgres))


class House:
    """A whole installation. With `has_one_site` all that is written goes to one, and waits for its rows."""

    def __init__(
        self,
        setup: Setup,
        costs: Costs,
        *,
        has_one_site: bool,
        speed: float = 1.0,
        swept_pages: float = 0.0,
        seed: int = 1,
    ) -> None:
        self.env, self.setup, self.costs = simpy.Environment(), setup, costs
        self.random = random.Random(seed)  # noqa: S311 - Nothing secret comes of it.
        self.turned_away = 0
        core = Part(self.env, 1, speed)
        self.parts: Mapping[str, Part] = {
            part: core if setup.is_one_core else Part(self.env, setup.servers(part), speed)
            for part in PARTS
            if part != "service"
        }
        self.processes = [
            Process(self, core if setup.is_one_core else Part(self.env, 1, speed))
            for _ in range(setup.servers("service"))
        ]
        self._rows = simpy.Resource(self.env) if has_one_site else None
        if swept_pages:
            for process in self.processes:
                self.env.process(self._sweep(process, swept_pages))

    def vary(self, microseconds: float) -> float:
        return self.random.gammavariate(SHAPE, microseconds / SHAPE) if microseconds > 0 else 0.0

    def slow(self, cost: Cost) -> Cost:
        """Give what work costs among other processes, if it was measured in one that ran without a break.

        What was measured one by one, such as a commit, was as slow then.
        """
        in_company = self.setup.is_one_core and self.setup.servers("service") > 1
        factor = self.costs.company if in_company else 1.0
        return msgspec.structs.replace(cost, service=cost.service * factor)

    def utilise(self) -> dict[str, float]:
        """Give how busy each part was."""
        if self.setup.is_one_core:
            return {"core": self.parts["nginx"].utilisation()}
        of_processes = [one.part.utilisation() for one in self.processes]
        use = {name: part.utilisation() for name, part in self.parts.items()}
        return use | {"service": sum(of_processes) / len(of_processes)}

    def commit(self, process: Process, locked: Cost, round_trips: int) -> Steps:
        """Do the last part of a transaction, which holds the rows that all of a site's have in common."""
        asked = self._rows.request() if self._rows else None
        if asked is not None:
            yield asked
        yield from process.exchange(locked, round_trips)
        yield self.env.timeout(self.costs.sync_seconds)
        if self._rows and asked is not None:
            self._rows.release(asked)

    def _sweep(self, process: Process, pages: float) -> Steps:
        while True:
            yield self.env.timeout(REVALIDATION_SECONDS)
            yield from process.exchange(self.costs.swept_page.times(pages), 1)

    def _enter(self, cost: Cost) -> Generator[simpy.Event, Any, Process]:
        yield from self.parts["nginx"].work(self.vary(cost.nginx))
        process = self.random.choice(self.processes)
        yield from process.work(cost.service)
        return process

    def hits(self) -> Steps:
        yield from self._enter(self.slow(self.costs.hit))

    def misses(self) -> Steps:
        process = yield from self._enter(self.costs.miss)
        yield from process.exchange(Cost(postgres=self.costs.miss.postgres), 1)

    def refused(self) -> Generator[simpy.Event, Any, Process]:
        process = yield from self._enter(self.slow(self.costs.refused))
        yield process.limiter.join()
        return process

    def taken(self) -> Steps:
        process = yield from self.refused()
        # What counts is written to Redis, what is refused is only read.
        written = self.costs.taken.redis - self.costs.refused.redis
        yield from self.parts["redis"].work(self.vary(written))
        if len(process.writer) < Settings().max_waiting_submissions:
            yield process.writer.join()
        else:
            # The service answers 503 at once.
            self.turned_away += 1

    def decisions(self) -> Steps:
        """Decide about some comments in one request."""
        work = self.costs.decision_request.plus(self.costs.decision, DECIDED_TOGETHER)
        share = LOCKED_DECISION_EXCHANGES / DECISION_EXCHANGES
        process = yield from self._enter(Cost(nginx=work.nginx))
        unlocked = DECISION_EXCHANGES - LOCKED_DECISION_EXCHANGES
        yield from process.exchange(work.times(1 - share), unlocked)
        yield from self.commit(process, work.times(share), LOCKED_DECISION_EXCHANGES)
