"""How a metric is made, so that a line names one: each has a fixed, small set of labels."""

from collections.abc import Sequence
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

# Of several workers gauges are added up, or the highest or lowest is given.
Several = Literal["livesum", "livemax", "livemin"]
# When each count began is nothing that anybody asks, and would double their number.
disable_created_metrics()  # type: ignore[no-untyped-call]  # The library has no types here.


class Meter:
    """Makes the metrics of a process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

    def counter(self, name: str, meaning: str, *labels: str) -> Counter:
        """Make a count of what happens."""
        return Counter(name, meaning, labels, registry=self.registry)

    def gauge(self, name: str, meaning: str, several: Several, *labels: str) -> Gauge:
        """Make a number that rises and falls."""
        return Gauge(name, meaning, labels, registry=self.registry, multiprocess_mode=several)

    def histogram(self, name: str, meaning: str, seconds: Sequence[float], *labels: str) -> Histogram:
        """Make a distribution of times, counted up to each of some bounds."""
        return Histogram(name, meaning, labels, registry=self.registry, buckets=seconds)
