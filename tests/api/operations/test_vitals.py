"""What the metrics say of what waits, of what could not be stored, and of the process itself."""

import importlib.metadata
import re

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlmodel import text

from tests.cast import House
from tests.in_process import START
from tests.plans import explain, statements_of
from tests.rules.test_docs import read_rows
from tests.scraping import scrape

# What does not depend on which database it is.
ON_SQLITE_ALONE = pytest.mark.parametrize("furnished", ["sqlite"], indirect=True)
Samples = dict[tuple[str, str], float]


async def read_samples(house: House) -> Samples:
    """Give the value of each sample by its name and its labels, spelt `a=b,c=d`."""
    return {
        (
            sample.name,
            ",".join(f"{name}={value}" for name, value in sample.labels.items()),
        ): sample.value
        for family in text_string_to_metric_families(await scrape(house))
        for sample in family.samples
    }


async def test_what_is_pending_shows_by_site_with_the_oldest(house: House) -> None:
    pending, oldest = "greenroom_comments_pending", "greenroom_oldest_pending_timestamp_seconds"
    before = await read_samples(house)
    assert before[pending, "site=blog"] == 0
    assert (oldest, "site=blog") not in before
    first = await house.submit()
    house.clock.advance(hours=1)
    second = await house.submit()
    await house.publish()
    after = await read_samples(house)
    assert after[pending, "site=blog"] == 2
    assert after[oldest, "site=blog"] == START.timestamp()
    assert after[pending, "site=elsewhere"] == 0
    assert (oldest, "site=elsewhere") not in after
    await house.reject(first.id)
    assert (await read_samples(house))[oldest, "site=blog"] == START.timestamp() + 3600
    await house.spam(second.id)
    assert (oldest, "site=blog") not in await read_samples(house)


async def test_what_is_pending_is_not_counted(house: House) -> None:
    with statements_of(house, "status_tally") as sent:
        await read_samples(house)
    statement, values = sent[-1]
    plan = await explain(house, statement, values)
    assert "ix_comment_queue" in plan, plan
    assert not re.search(r"Seq Scan on|SCAN comment|Sort", plan), plan


async def test_what_could_not_be_stored_is_counted_by_reason(house: House) -> None:
    await house.submit(text="The same.")
    assert (await house.try_submit(text="The same.")).status_code == 409
    await rename_table(house, "status_tally", "away")
    assert (await house.try_submit()).status_code == 503
    await rename_table(house, "away", "status_tally")
    samples = await read_samples(house)
    failures = {key[1]: value for key, value in samples.items() if "store_failures" in key[0]}
    assert failures == {"reason=full": 0, "reason=database": 1, "reason=other": 0}


async def rename_table(house: House, old: str, new: str) -> None:
    await house.database.write(
        lambda connection: connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))
    )


async def test_connections_show_by_pool(house: House) -> None:
    async with house.app.process.services.reading() as session:
        await session.connection()
        samples = await read_samples(house)
    states = {
        labels: value for (name, labels), value in samples.items() if name == "greenroom_database_connections"
    }
    pools = {labels.partition(",")[0] for labels in states}
    most = {labels for name, labels in samples if name == "greenroom_database_connections_max"}
    assert pools == most
    # And what looks after the house may have another one at this moment.
    assert sum(value for labels, value in states.items() if "state=in_use" in labels) >= 1


@ON_SQLITE_ALONE
async def test_the_process_and_its_version_show(house: House) -> None:
    samples = await read_samples(house)
    assert samples["process_resident_memory_bytes", ""] > 10_000_000
    assert 3 < samples["process_open_fds", ""] < samples["process_max_fds", ""]
    assert samples["process_cpu_seconds_total", ""] > 0
    assert samples["greenroom_workers", ""] == 1
    assert samples["greenroom_tasks", ""] > 1
    [labels] = [labels for name, labels in samples if name == "greenroom_build_info"]
    assert f"version={importlib.metadata.version('greenroom')}" in labels


@ON_SQLITE_ALONE
async def test_every_metric_is_documented_and_nothing_else(house: House) -> None:
    await house.submit()
    given = {
        family.name + "_total" * (family.type == "counter")
        for family in text_string_to_metric_families(await scrape(house))
    }
    cells = read_rows("operations.md", "metric")
    assert {name for cell in cells for name in re.findall(r"\w+", cell)} == given


@ON_SQLITE_ALONE
async def test_every_label_is_documented(house: House) -> None:
    """As far as the metrics here have a value, the rows of the table name their labels."""
    await house.publish()
    await house.read()
    rows = read_rows("operations.md", "metric")
    told = {
        name: set(re.findall(r"`(\w+)`", cells[0]))
        for cell, cells in rows.items()
        for name in re.findall(r"\w+", cell)
    }
    for family in text_string_to_metric_families(await scrape(house)):
        name = family.name + "_total" * (family.type == "counter")
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == told[name], name
