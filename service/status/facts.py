"""What the metrics say of the database: read for each answer, and absent when it cannot be read."""

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy.exc import SQLAlchemyError

from service.database import Database
from service.database.probing import GONE
from service.errors import Unavailable
from service.modlog.rules import Head
from service.patience import Patience
from service.status.queries import read_heads

# 48 bits of a hash are exact in the floating point numbers of metrics.
HEAD_BYTES = 6


async def read_facts(database: Database, seconds: float) -> list[Metric]:
    """Read what there is to say of the database, within so many seconds."""
    state = await database.probe.state(seconds)
    heads = None if state in GONE else await _read_heads(database, seconds)
    facts: list[Metric] = [
        GaugeMetricFamily(
            "greenroom_database_up",
            "1 while the database answers.",
            value=float(heads is not None),
        ),
        GaugeMetricFamily(
            "greenroom_database_writable",
            "1 while what is written is taken.",
            value=float(state == "ok"),
        ),
    ]
    return facts if heads is None else [*facts, *_describe_logs(heads)]


async def _read_heads(database: Database, seconds: float) -> dict[str, Head] | None:
    try:
        async with Patience(seconds), database.readiness.reading() as session:
            return await read_heads(session)
    except (SQLAlchemyError, OSError, Unavailable):
        return None


def _describe_logs(heads: dict[str, Head]) -> list[Metric]:
    length = GaugeMetricFamily(
        "greenroom_log_length",
        "Entries in the log of a site, as the database says.",
        labels=["site"],
    )
    last = GaugeMetricFamily(
        "greenroom_log_head",
        "The first 48 bits of the hash of a log's last entry.",
        labels=["site"],
    )
    for slug, head in heads.items():
        length.add_metric([slug], head.length)
        last.add_metric([slug], int.from_bytes(head.mac[:HEAD_BYTES], "big"))
    return [length, last]
