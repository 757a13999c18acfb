"""Measuring what the capacity model needs to know: what each piece of work costs each part.

Nothing here is measured as the model is checked later: the numbers of clients are others, and there is one
process only. What several on one core cost each other is measured with the cheapest requests of all.
"""

import asyncio
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from service.command_line import commands
from tests.benchmarks.capacity import DECIDED_TOGETHER, Cost, Costs, split
from tests.benchmarks.cluster import ARTICLE, Shares, send
from tests.benchmarks.harness import Pace, Request, in_rounds, middle
from tests.benchmarks.meter import Meter, Metered
from tests.benchmarks.seeding import Crowd
from tests.benchmarks.stage import page_path
from tests.installation import SITE

FEW, SOME = 1, 16
COLD, SWEPT = 100, 100
# Longer than the time between two looks at the pages in use (`service/publication/cache/read_through.py`).
SWEEP_PAUSE_SECONDS = 0.9
SINGLE_DECISIONS = 20
SYNCS = 200
QUEUE = f"/v1/moderation/comments?site={SITE}&limit="


def make_crowd(pace: Pace) -> Crowd:
    """Fill articles that are read once each, and the one that is read all the time."""
    cold = {f"/cold-{number}": 20 for number in range(COLD * pace.rounds)}
    return Crowd({ARTICLE: 20, **cold, **{f"/swept-{number}": 20 for number in range(SWEPT)}})


def measure_costs(folder: Path, meter: Meter) -> Costs:
    """Measure all costs; afterwards the site refuses submissions."""
    loads = _measure_loads(meter, [("hits", SOME), ("in company", SOME), ("taken", FEW), ("taken", SOME)])
    cold, stale, swept, decided = _measure_one_by_one(meter)
    _refuse_submissions(meter)
    loads |= _measure_loads(meter, [("refused", FEW), ("refused", SOME)])
    refused, call = _split(loads["refused", FEW], loads["refused", SOME], "calls", "redis")
    without_calls = [
        msgspec.structs.replace(one, shares=_without(one, call))
        for one in (*loads["taken", FEW], *loads["taken", SOME])
    ]
    middle_of = len(loads["taken", FEW])
    taken, commit = _split(without_calls[:middle_of], without_calls[middle_of:], "batches", "postgres")
    decision, request = split(decided[1], decided[DECIDED_TOGETHER], 1, 1 / DECIDED_TOGETHER)
    hit = _middle([one.cost for one in loads["hits", SOME]])
    return Costs(
        hit=hit,
        miss=cold,
        stale=stale,
        refused=refused,
        limiter_call=call,
        taken=taken,
        commit=commit,
        decision_request=request,
        decision=decision,
        swept_page=Cost(service=max(0.0, swept.service), postgres=max(0.0, swept.postgres)),
        company=_middle([one.cost for one in loads["in company", SOME]]).service / hit.service,
        sync_seconds=measure_sync(folder),
        page_bytes=_measure_page(meter),
    )


Wanted = tuple[str, int]


def _measure_loads(meter: Meter, wanted: Sequence[Wanted]) -> dict[Wanted, list[Metered]]:
    """Measure loads of one process; hits "in company" go to three that share a core."""
    cluster, sides = meter.cluster, {}
    for kind, connections in wanted:
        in_company = kind == "in company"
        proxy = cluster.before_all if in_company else cluster.before_one
        sent = "hits" if in_company else kind
        sides[str((kind, connections))] = partial(meter.send, proxy, sent, connections)
    for send_once in sides.values():
        send_once()
    found = in_rounds(sides, meter.pace.rounds)
    return {one: found[str(one)] for one in wanted}


def _split(few: Sequence[Metered], some: Sequence[Metered], shared: str, part: str) -> tuple[Cost, Cost]:
    """Split by the batches or calls of both sides, which are work of the service and another part."""
    alone, together = (_middle([one.cost for one in side]) for side in (few, some))
    calls_alone, calls = (middle(side, lambda one: float(getattr(one, shared))) for side in (few, some))
    return split(alone, together, calls_alone, calls, {"service", part})


def _without(metered: Metered, call: Cost) -> Shares:
    """Take what the calls of Redis cost out of a load."""
    cost = metered.cost.plus(call, -metered.calls)
    names = {"nginx": cost.nginx, "service": cost.service}
    parts = {**names, "PostgreSQL": cost.postgres, "Redis": cost.redis}
    return msgspec.structs.replace(metered.shares, parts=parts)


def _middle(costs: Sequence[Cost]) -> Cost:
    return Cost(
        middle(costs, lambda one: one.nginx),
        middle(costs, lambda one: one.service),
        middle(costs, lambda one: one.postgres),
        middle(costs, lambda one: one.redis),
    )


def _measure_one_by_one(meter: Meter) -> tuple[Cost, Cost, Cost, Mapping[int, Cost]]:
    """Measure a miss, the same page when it is no longer fresh, a look, and decisions by one and by some."""
    cold, stale, swept = [], [], []
    decided: dict[int, list[Cost]] = {1: [], DECIDED_TOGETHER: []}
    pages = [Request(page_path(f"/swept-{number}")) for number in range(SWEPT)]
    for turn in range(meter.pace.rounds):
        first = COLD * turn
        never = [Request(page_path(f"/cold-{first + one}")) for one in range(COLD)]
        cold.append(meter.spend(never))
        # Read, then checked once while they are fresh; what is measured is reading and checking them again.
        meter.spend(pages)
        meter.spend(pages, SWEEP_PAUSE_SECONDS)
        many = meter.spend(pages, SWEEP_PAUSE_SECONDS)
        swept.append(many.plus(meter.spend(pages[:1] * SWEPT, SWEEP_PAUSE_SECONDS), -1))
        # By now it is longer ago than they may go unchecked.
        stale.append(meter.spend(never))
        for together, found in decided.items():
            requests = list(_make_decisions(meter, together))
            found.append(meter.spend(requests).times(1 / together))
    decisions = {one: _middle(found) for one, found in decided.items()}
    return _middle(cold), _middle(stale), _middle(swept), decisions


def _make_decisions(meter: Meter, together: int) -> Iterator[Request]:
    """Approve comments that wait, so many with a request."""
    stage = meter.cluster.stage
    bearer = {"Authorization": f"Bearer {stage.token}", "Content-Type": "application/json"}
    wanted = max(SINGLE_DECISIONS, 5 * together)
    with stage.connect() as client:
        queue = msgspec.json.decode(client.send(Request(f"{QUEUE}{wanted}", headers=bearer)))
    decisions = [
        {"comment": one["id"], "version": one["version"], "action": "approve"} for one in queue["comments"]
    ]
    for start in range(0, wanted, together):
        body = msgspec.json.encode({"decisions": decisions[start : start + together]})
        yield Request("/v1/moderation/decisions", "POST", body, bearer)


def _refuse_submissions(meter: Meter) -> None:
    """Set the article's limit so that nothing passes, and wait until that is so."""
    asyncio.run(_set_limit(meter))
    load = meter.load("refused", SOME)
    while send(meter.cluster, meter.cluster.before_one, load, 2).sample.bad:
        pass


async def _set_limit(meter: Meter) -> None:
    async with commands.working(meter.cluster.stage.settings) as services:
        await commands.set_site(services, SITE, ["limit.article=1/day"])


def _measure_page(meter: Meter) -> int:
    with meter.cluster.stage.connect() as client:
        page = Request(page_path(ARTICLE), headers={"Accept-Encoding": "gzip"})
        return len(client.send(page))


def measure_sync(folder: Path) -> float:
    """Give the seconds that a small write takes until it lies on the disk."""
    took = []
    file = os.open(folder / "sync", os.O_CREAT | os.O_WRONLY)
    for _ in range(SYNCS):
        os.write(file, bytes(8_192))
        started = time.perf_counter()
        os.fdatasync(file)
        took.append(time.perf_counter() - started)
    os.close(file)
    return middle(took, float)
