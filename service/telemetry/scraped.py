"""What is not counted but read at the moment at which somebody asks for the metrics.

So it is never older than the answer, the same from every worker, and absent when it cannot be read.
"""

import platform
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Backlog(msgspec.Struct, frozen=True):
    """What waits for the moderators of a site."""

    pending: int
    oldest: datetime | None
    """When the oldest of them was submitted."""


class Given(Collector):
    """Metrics that are there already, as the library wants them."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def render(families: list[Metric]) -> bytes:
    """Give metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(Given(families))
    return generate_latest(registry)


def describe_build() -> Metric:
    """Say which versions run."""
    family = GaugeMetricFamily(
        "greenroom_build_info", "1, with the versions that run.", labels=["version", "python"]
    )
    family.add_metric([version("greenroom"), platform.python_version()], 1)
    return family


def describe_backlogs(backlogs: Mapping[str, Backlog]) -> list[Metric]:
    """Say what waits on each site, given by its slug."""
    pending = GaugeMetricFamily(
        "greenroom_comments_pending", "Comments that wait for a decision.", labels=["site"]
    )
    oldest = GaugeMetricFamily(
        "greenroom_oldest_pending_timestamp_seconds",
        "When the oldest of them was submitted; absent where none waits.",
        labels=["site"],
    )
    for slug, backlog in backlogs.items():
        pending.add_metric([slug], backlog.pending)
        if backlog.oldest:
            oldest.add_metric([slug], backlog.oldest.timestamp())
    return [pending, oldest]
