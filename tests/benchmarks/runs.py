"""Running a simulated installation: clients that wait for their answers, or crowds that do not."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from tests.benchmarks.queues import Steps
from tests.benchmarks.simulated import House

# What comes before this share of a run is over does not count: queues fill first.
WARM_UP = 0.2


class Outcome(msgspec.Struct, frozen=True):
    """What a run came to."""

    per_second: dict[str, float]
    """Answers of each kind."""
    seconds: dict[str, list[float]]
    """How long each took."""
    use: dict[str, float]
    mean_batch: float
    turned_away: int

    def quantile(self, kinds: Sequence[str], share: float) -> float:
        """Give the seconds that a share of all answers of some kinds took at most; 0 if there were none."""
        found = sorted(took for kind in kinds for took in self.seconds[kind])
        return found[min(len(found) - 1, int(len(found) * share))] if found else 0.0


def run_closed(house: House, kind: str, clients: int, seconds: float) -> Outcome:
    """Let clients ask for one kind, each again when it has its answer."""
    took: list[float] = []

    def client() -> Steps:
        while True:
            yield from _clock(house, getattr(house, kind), took, seconds)

    for _ in range(clients):
        house.env.process(client())
    return _run(house, {kind: took}, seconds)


def run_open(house: House, rates: Mapping[str, float], seconds: float) -> Outcome:
    """Let requests of each kind come at random moments, so many a second, whatever became of the others."""
    took: dict[str, list[float]] = {kind: [] for kind in rates}

    def arrive(kind: str, rate: float) -> Steps:
        while True:
            yield house.env.timeout(house.random.expovariate(rate))
            house.env.process(_clock(house, getattr(house, kind), took[kind], seconds))

    for kind, rate in rates.items():
        if rate:
            house.env.process(arrive(kind, rate))
    return _run(house, took, seconds)


def _clock(house: House, visit: Callable[[], Steps], took: list[float], seconds: float) -> Steps:
    started = house.env.now
    yield from visit()
    if house.env.now >= seconds * WARM_UP:
        took.append(house.env.now - started)


def _run(house: House, took: dict[str, list[float]], seconds: float) -> Outcome:
    house.env.run(until=seconds)
    counted = seconds * (1 - WARM_UP)
    sizes = [size for one in house.processes for size in one.writer.sizes]
    return Outcome(
        {kind: len(found) / counted for kind, found in took.items()},
        took,
        house.utilise(),
        sum(sizes) / len(sizes) if sizes else 0.0,
        house.turned_away,
    )
