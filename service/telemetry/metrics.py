"""Metrics for Prometheus. Every label has a small, fixed set of values; none is ever input."""

import platform
from collections.abc import Iterable
from importlib.metadata import version

from prometheus_client import Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.telemetry.meter import Meter
from service.telemetry.sharing import collect_shared, join_workers
from service.telemetry.vitals import Vitals

# Seconds; from bytes in memory to a password check that waited.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Read(Collector):
    """What is read when somebody asks: never older than the answer, and the same from every worker."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        build = GaugeMetricFamily(
            "greenroom_build_info", "1, with the versions that run.", labels=["version", "python"]
        )
        build.add_metric([version("greenroom"), platform.python_version()], 1)
        return [build, *self._families]


class Metrics:
    """What one process counts. Workers of one `serve` share their counts through a folder."""

    def __init__(self) -> None:
        # Before the first metric is made.
        slot = join_workers()
        meter = Meter()
        self._registry = meter.registry
        self.vitals = Vitals(meter, slot.stay if slot else lambda: None)
        self._outcomes: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._hits = 0
        self._count_requests(meter)
        self._count_pages(meter)
        self._count_changes(meter)

    def _count_requests(self, meter: Meter) -> None:
        self.requests = meter.counter(
            "greenroom_http_requests", "Requests answered.", "method", "route", "status"
        )
        what = "Time to the last byte of an answer, and to the first one of a stream."
        self.seconds = meter.histogram("greenroom_http_request_seconds", what, BUCKETS, "route")
        what = "Connections turned away: too many files are open, or too many are of one network."
        self.connections_refused = meter.counter("greenroom_connections_refused", what, "reason")
        what = "Tries refused, by the rule that refused."
        self.refusals = meter.counter("greenroom_rate_limit_refusals", what, "rule")
        what = "Limits that were checked in the process because Redis did not answer."
        self.fallbacks = meter.counter("greenroom_rate_limiter_fallbacks", what)
        what = "1 while limits are checked in the process because Redis does not answer."
        self.degraded = meter.gauge("greenroom_rate_limiter_degraded", what, "livemax")

    def _count_pages(self, meter: Meter) -> None:
        what = "Public answers sent from the cache without a query."
        self.page_hits = meter.counter("greenroom_page_hits", what)
        what = "Public answers that were loaded from the database, or revalidated, before they were sent."
        self.page_reads = meter.counter("greenroom_page_reads", what)
        what = "What the entries of the cache take."
        self.page_bytes = meter.gauge("greenroom_page_memory_bytes", what, "livesum")
        what = "Public answers in the cache."
        self.page_entries = meter.gauge("greenroom_page_memory_entries", what, "livesum")
        what = "Streams of articles that are open."
        self.streams = meter.gauge("greenroom_streams", what, "livesum")
        what = "Public answers asked of the standby by outcome: used, behind, failed."
        self.standby_reads = meter.counter("greenroom_standby_reads", what, "outcome")
        what = "1 while this process does not hear from the others what has changed in public."
        self.channel_degraded = meter.gauge("greenroom_channel_degraded", what, "livemax")
        what = "Changes that the cache in front could not be told of."
        self.purge_failures = meter.counter("greenroom_purge_failures", what)

    def _count_changes(self, meter: Meter) -> None:
        what = "Submissions by outcome: taken, replayed, duplicate, invalid, limited."
        self.submissions = meter.counter("greenroom_submissions", what, "outcome")
        what = "Forms without a text that had a long field which form.text_field does not name."
        self.texts_elsewhere = meter.counter("greenroom_texts_elsewhere", what)
        what = "Submissions that could not be stored, by reason: full, database, other."
        self.store_failures = meter.counter("greenroom_store_failures", what, "reason")
        for reason in ("full", "database", "other"):
            # There from the start: of a count that begins at 1 nobody sees that it rose.
            self.store_failures.labels(reason)
        what = "Decisions by action and outcome."
        self.decisions = meter.counter("greenroom_decisions", what, "action", "outcome")
        what = "Heads of logs that could not be written to the data directory."
        self.head_failures = meter.counter("greenroom_log_head_failures", what)

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
        return generate_latest(collect_shared() or self._registry) + generate_latest(Read(read))
