"""What is not counted but read at the moment at which somebody asks for the metrics.

So it is never older than the answer, the same from every worker, and absent when it cannot be read.
"""

import platform
from importlib.metadata import version

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


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
