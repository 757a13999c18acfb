"""Sending loads to a cluster, with a look at what each of its parts spent and counted meanwhile."""

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import psycopg
import redis

from tests.benchmarks.capacity import Cost
from tests.benchmarks.cluster import ARTICLE, Cluster, Shares, find_parts, read_parts, send
from tests.benchmarks.harness import Client, Load, Pace, Request
from tests.benchmarks.machine import LOAD_CORE, on_core
from tests.benchmarks.stage import make_submission, page_path
from tests.installation import COMMENTS
from tests.processes import Server

# A batch lies in a savepoint, which has a transaction number of its own.
NUMBERS_OF_A_BATCH = 2
LAST_NUMBER = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"


class Metered(msgspec.Struct, frozen=True):
    """What a load came to, with the batches and the calls of Redis that one submission was in on average."""

    shares: Shares
    batches: float
    calls: float

    @property
    def cost(self) -> Cost:
        parts = self.shares.parts
        return Cost(parts["nginx"], parts["service"], parts["PostgreSQL"], parts["Redis"])


class Meter:
    """Sends loads through a proxy to a cluster and reads what its parts count."""

    def __init__(self, folder: Path, cluster: Cluster, pace: Pace) -> None:
        self.cluster, self.pace = cluster, pace
        self.template = folder / "submission.json"
        self.template.write_bytes(make_submission("/submissions"))
        environment = cluster.stage.environment
        self._postgres = psycopg.connect(environment["GREENROOM_DATABASE_URL"], autocommit=True)
        self._redis = redis.Redis.from_url(environment["GREENROOM_REDIS_URL"])

    def close(self) -> None:
        self._postgres.close()
        self._redis.close()

    def load(self, kind: str, connections: int) -> Load:
        """Give a load of one kind of the model's, from so many clients."""
        if kind == "hits":
            return Load(page_path(ARTICLE), [], connections=connections)
        status = 429 if kind == "refused" else None
        return Load(COMMENTS, [], connections=connections, body=self.template, status=status)

    def send(self, proxy: Server, kind: str, connections: int) -> Metered:
        numbers, calls = self._count()
        shares = send(self.cluster, proxy, self.load(kind, connections), self.pace.seconds)
        numbers_after, calls_after = self._count()
        batches = (numbers_after - numbers) / NUMBERS_OF_A_BATCH / shares.sample.requests
        return Metered(shares, batches, (calls_after - calls) / shares.sample.requests)

    def _count(self) -> tuple[int, int]:
        row = self._postgres.execute(LAST_NUMBER).fetchone()
        assert row is not None
        scripts = self._redis.info("commandstats").get("cmdstat_evalsha", {})
        return row[0], scripts.get("calls", 0)

    def spend(self, requests: Sequence[Request], pause_seconds: float = 0.0) -> Cost:
        """Send requests one after the other, and give what one took."""
        proxy = self.cluster.before_one
        families = find_parts(self.cluster, proxy)
        with Client(proxy.url, []) as client, on_core(LOAD_CORE):
            before = read_parts(families)
            for request in requests:
                client.send(request)
            time.sleep(pause_seconds)
            after = read_parts(families)
        spent = {name: (after[name] - before[name]) / len(requests) * 1e6 for name in families}
        return Cost(spent["nginx"], spent["service"], spent["PostgreSQL"], spent["Redis"])
