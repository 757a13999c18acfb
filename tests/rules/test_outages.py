"""What the log gets of something that is away: its going, its coming back, and little in between."""

import logging
from collections.abc import Iterator

import pytest

from service.telemetry.logs import TELL_EVERY_SECONDS
from service.telemetry.outages import Outage


class Watch:
    """A clock that is set by hand."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def outage(watch: Watch) -> Outage:
    return Outage("The moon", "it is dark", watch)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.WARNING, "service.telemetry.outages"):
        yield caplog


def lines(told: pytest.LogCaptureFixture) -> list[str]:
    events = [str(record.msg["event"]) for record in told.records if isinstance(record.msg, dict)]
    told.clear()
    return events


def test_its_going_and_its_coming_are_told_once(outage: Outage, told: pytest.LogCaptureFixture) -> None:
    outage.over()
    assert lines(told) == []
    for _ in range(100):
        outage.note(OSError("with a secret"))
    [record] = told.records
    assert isinstance(record.msg, dict)
    assert (record.msg["error"], record.msg["meanwhile"]) == ("OSError", "it is dark")
    assert "secret" not in str(record.msg)
    assert lines(told) == ["The moon is away"]
    outage.over()
    outage.over()
    assert lines(told) == ["The moon is back"]


def test_a_long_outage_is_told_of_once_a_minute(
    outage: Outage, watch: Watch, told: pytest.LogCaptureFixture
) -> None:
    for watch.seconds in range(180):
        outage.note("status 503")
    assert lines(told) == ["The moon is away"] * 3


def test_what_comes_and_goes_all_the_time_is_told_of_once_a_minute(
    outage: Outage, watch: Watch, told: pytest.LogCaptureFixture
) -> None:
    for watch.seconds in range(180):
        outage.note("status 503")
        outage.over()
    assert lines(told) == ["The moon is away", "The moon is back"] * 3
    watch.seconds += TELL_EVERY_SECONDS
    outage.note("status 503")
    assert lines(told) == ["The moon is away"]
