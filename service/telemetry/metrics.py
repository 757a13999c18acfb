"""Metrics for Prometheus. Every label has a small, fixed set of values; none is ever input."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import Metric

from service.telemetry.scraped import describe_build, render
from service.telemetry.sharing import collect_shared, join_workers
from service.telemetry.vitals import Vitals

# Seconds; from bytes in memory to a password check that waited.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
# When each count began is nothing that anybody asks, and would double their number.
disable_created_metrics()  # type: ignore[no-untyped-call]  # The library has no types here.


class Metrics:
    """What one process counts. Workers of one `serve` share their counts through a folder."""

    def __init__(self) -> None:
        self._slot = join_workers()
        registry = CollectorRegistry()
        self._registry = registry
        self.vitals = Vitals(registry, self._slot.stay if self._slot else lambda: None)
        self.requests = Counter(
            "greenroom_http_requests",
            "Requests answered.",
            ["method", "route", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "greenroom_http_request_seconds",
            "Time to the last byte of an answer, and to the first one of a stream.",
            ["route"],
            buckets=BUCKETS,
            registry=registry,
        )
        self._outcomes: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._hits = 0
        self.connections_refused = Counter(
            "greenroom_connections_refused",
            "Connections turned away: too many files are open, or too many are of one network.",
            ["reason"],
            registry=registry,
        )
        self.page_hits = Counter(
            "greenroom_page_hits",
            "Public answers sent from the cache without a query.",
            registry=registry,
        )
        self.page_reads = Counter(
            "greenroom_page_reads",
            "Public answers that were loaded from the database, or revalidated, before they were sent.",
            registry=registry,
        )
        self.page_bytes = Gauge(
            "greenroom_page_memory_bytes",
            "What the entries of the cache take.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.page_entries = Gauge(
            "greenroom_page_memory_entries",
            "Public answers in the cache.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.streams = Gauge(
            "greenroom_streams",
            "Streams of articles that are open.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.standby_reads = Counter(
            "greenroom_standby_reads",
            "Public answers asked of the standby by outcome: used, behind, failed.",
            ["outcome"],
            registry=registry,
        )
        self.channel_degraded = Gauge(
            "greenroom_channel_degraded",
            "1 while this process does not hear from the others what has changed in public.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.purge_failures = Counter(
            "greenroom_purge_failures",
            "Changes that the cache in front could not be told of.",
            registry=registry,
        )
        self.submissions = Counter(
            "greenroom_submissions",
            "Submissions by outcome: taken, replayed, duplicate, invalid, limited.",
            ["outcome"],
            registry=registry,
        )
        self.texts_elsewhere = Counter(
            "greenroom_texts_elsewhere",
            "Forms without a text that had a long field which form.text_field does not name.",
            registry=registry,
        )
        self.store_failures = Counter(
            "greenroom_store_failures",
            "Submissions that could not be stored, by reason: full, database, other.",
            ["reason"],
            registry=registry,
        )
        for reason in ("full", "database", "other"):
            # There from the start: of a count that begins at 1 nobody sees that it rose.
            self.store_failures.labels(reason)
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
        self.head_failures = Counter(
            "greenroom_log_head_failures",
            "Heads of logs that could not be written to the data directory.",
            registry=registry,
        )

    def note_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request; its labels are looked up once, since that takes most of the time."""
        known = self._outcomes.get((method, route, status))
        if known is None:
            known = (
                self.requests.labels(method, route, str(status)),
                self.seconds.labels(route),
            )
            self._outcomes[method, route, status] = known
        known[0].inc()
        known[1].observe(seconds)

    def note_cache(self, hits: int, size_bytes: int, entries: int) -> None:
        """Note what the cache has done since it was made, and what it holds."""
        self.page_hits.inc(hits - self._hits)
        self._hits = hits
        self.page_bytes.set(size_bytes)
        self.page_entries.set(entries)

    def render(self, *read: Metric) -> bytes:
        """Give all metrics in Prometheus' text format, with those that were read for this answer."""
        self.vitals.note()
        counted = generate_latest(collect_shared() or self._registry)
        return counted + render([describe_build(), *read])
