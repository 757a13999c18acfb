"""Whichever worker is asked for the metrics, it tells of all of them."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.keyboard import type_command
from tests.processes import Server, wait_until
from tests.servers import find_workers, start_service

pytestmark = pytest.mark.more

# More than one worker wants one; nothing listens there.
NO_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    assert type_command(tmp_path, {}, "migrate").exit_code == 0
    environment = {"GREENROOM_REDIS_URL": NO_REDIS}
    with start_service(tmp_path, environment, "--workers", "2") as server:
        yield server


def read_samples(server: Server) -> dict[str, float]:
    """Read what one of the workers says, by the name of each sample that has no labels."""
    text = httpx.get(f"{server.url}/metrics", trust_env=False).text
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.labels
    }


def measure_memory(worker: int) -> int:
    pages = int(Path(f"/proc/{worker}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def tells_of_all(server: Server) -> bool:
    """Tell whether the memory of two workers is in the sum."""
    samples, largest = read_samples(server), max(map(measure_memory, find_workers(server)))
    return samples["greenroom_workers"] == 2 and samples["process_resident_memory_bytes"] > 1.5 * largest


def test_what_workers_measure_is_added_up_and_forgotten_with_them(server: Server) -> None:
    wait_until(lambda: tells_of_all(server), "the memory of both workers")
    before, workers = read_samples(server), find_workers(server)
    killed = min(workers)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: len(find_workers(server) - {killed}) == 2, "a new worker")
    wait_until(lambda: tells_of_all(server), "the memory of the new one, and not of the killed one")
    after = read_samples(server)
    assert after["process_start_time_seconds"] > before["process_start_time_seconds"]
    # What the killed one had used stays counted.
    assert after["process_cpu_seconds_total"] >= before["process_cpu_seconds_total"]
