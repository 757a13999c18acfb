"""Lines of the log that nobody reads."""

import logging
import os
from collections.abc import Iterator
from contextlib import suppress

import pytest

from service.telemetry import log_outlet
from service.telemetry.log_outlet import Outlet
from tests.processes import wait_until


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reads, writes = os.pipe()
    yield reads, writes
    os.close(reads)


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("a", logging.INFO, __file__, 1, text, None, None)


def test_lines_come_out_whole_and_in_order(pipe: tuple[int, int]) -> None:
    reads, writes = pipe
    outlet = Outlet(writes)
    for number in range(100):
        outlet.handle(record(f"line {number}"))
    outlet.flush()
    lines = os.read(reads, 1 << 16).decode().splitlines()
    assert lines == [f"line {number}" for number in range(100)]


def test_what_finds_no_place_is_counted(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(log_outlet, "MAX_WAITING", 10)
    monkeypatch.setattr(log_outlet, "LAST_SECONDS", 0.1)
    reads, writes = pipe
    outlet = Outlet(writes)
    # More than fits into a pipe.
    filler = "x" * (1 << 16)
    for _ in range(30):
        outlet.handle(record(filler))
    outlet.flush()
    os.set_blocking(reads, False)
    read = b""

    def told() -> list[str]:
        nonlocal read
        with suppress(BlockingIOError):
            read += os.read(reads, 1 << 20)
        return [text for one in caplog.records if "lost" in (text := one.getMessage())]

    wait_until(lambda: bool(told()), "word of what was lost")
    [line] = told()
    assert set(read.split()) == {filler.encode()}
    assert int(line.split()[0]) == 30 - read.count(b"\n")


def test_a_reader_that_is_gone_is_no_error(pipe: tuple[int, int]) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    outlet = Outlet(writes)
    outlet.handle(record("nobody reads this"))
    outlet.flush()
