"""What the metrics say of the database: read for each answer, and absent when it cannot be read."""

from collections.abc import Awaitable, Callable

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel.ext.asyncio.session import AsyncSession

from service.concurrency.patience import Patience
from service.database import Database
from service.database.probing import GONE
from service.errors import Unavailable
from service.modlog.rules import Head
from service.telemetry.queries import read_backlogs, read_heads
from service.telemetry.scraped import describe_backlogs

# 48 bits of a hash are exact in the floating point numbers of metrics.
HEAD_BYTES = 6


async def read_facts(database: Database, seconds: float) -> list[Metric]:
    """Read what there is to say of the database, within so many seconds for each half of it."""
    state = await database.probe.state(seconds)
    is_up = state not in GONE
    facts: list[Metric] = [
        GaugeMetricFamily(
            "greenroom_database_up",
            "1 while the database answers.",
            value=float(is_up),
        ),
        GaugeMetricFamily(
            "greenroom_database_writable",
            "1 while what is written is taken.",
            value=float(state == "ok"),
        ),
    ]
    if is_up:
        # Each by itself: somebody may hold a lock on what one of them needs.
        for read in (_read_logs, _read_backlogs):
            facts += await _try_to_read(database, seconds / 2, read)
    return facts


async def _try_to_read(
    database: Database, seconds: float, read: Callable[[AsyncSession], Awaitable[list[Metric]]]
) -> list[Metric]:
    try:
        async with Patience(seconds), database.readiness.reading() as session:
            return await read(session)
    except (SQLAlchemyError, OSError, Unavailable):
        return []


async def _read_logs(session: AsyncSession) -> list[Metric]:
    return _describe_logs(await read_heads(session))


async def _read_backlogs(session: AsyncSession) -> list[Metric]:
    return describe_backlogs(await read_backlogs(session))


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
