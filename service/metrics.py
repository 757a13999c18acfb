"""Metrics for Prometheus. Every label has a small, fixed set of values; none is ever input."""

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

# Seconds; from bytes in memory to a password check that waited.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """What one process counts. Workers of one `serve` share their counts through a folder."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._registry = registry
        self._fallbacks_seen = 0
        self.requests = Counter(
            "greenroom_http_requests",
            "Requests answered.",
            ["method", "route", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "greenroom_http_request_seconds",
            "Time to the last byte of an answer.",
            ["route"],
            buckets=BUCKETS,
            registry=registry,
        )
        self.submissions = Counter(
            "greenroom_submissions",
            "Submissions by outcome: taken, replayed, duplicate, invalid, limited.",
            ["outcome"],
            registry=registry,
        )
        self.decisions = Counter(
            "greenroom_decisions",
            "Decisions by action and outcome.",
            ["action", "outcome"],
            registry=registry,
        )
        self.refusals = Counter(
            "greenroom_rate_limit_refusals",
            "Tries refused, by the rule that refused.",
            ["rule"],
            registry=registry,
        )
        self.fallbacks = Counter(
            "greenroom_rate_limiter_fallbacks",
            "Limits that were checked in the process because Redis did not answer.",
            registry=registry,
        )
        self.degraded = Gauge(
            "greenroom_rate_limiter_degraded",
            "1 while limits are checked in the process because Redis does not answer.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.log_length = Gauge(
            "greenroom_log_length",
            "Entries in the log of a site, as the database says.",
            ["site"],
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self.log_head = Gauge(
            "greenroom_log_head",
            "The first 48 bits of the hash of a log's last entry.",
            ["site"],
            registry=registry,
            multiprocess_mode="livemostrecent",
        )

    def count_fallbacks(self, total: int) -> None:
        """Bring the counter up to the total that the limiter has counted."""
        self.fallbacks.inc(total - self._fallbacks_seen)
        self._fallbacks_seen = total

    def render(self) -> bytes:
        """Give all metrics in Prometheus' text format."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)
