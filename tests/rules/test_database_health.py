"""What the log gets of a fault of the database: one line, and a minute later how often it was met."""

import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from service.database.faults import Fault
from service.database.health import Health
from service.telemetry.logs import TELL_EVERY_SECONDS


class Clock:
    def __init__(self) -> None:
        self.now_seconds = 0.0

    def __call__(self) -> float:
        return self.now_seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(None, clock)


def failure(name: str) -> Exception:
    error = sqlite3.OperationalError("in the words of the driver")
    error.sqlite_errorname = name
    return OperationalError("INSERT", {"email": "dave@mail.example"}, error)


def test_a_fault_that_goes_on_is_told_once_a_minute(
    health: Health, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(100):
        health.note(failure("SQLITE_FULL"), stored_by="writer")
    assert len(caplog.records) == 1
    clock.now_seconds = TELL_EVERY_SECONDS
    health.note(failure("SQLITE_FULL"), stored_by="writer")
    assert len(caplog.records) == 2
    assert "'times': 100" in caplog.text
    assert "dave" not in caplog.text
    # Another one is told at once.
    health.note(failure("SQLITE_IOERR_WRITE"), stored_by="writer")
    assert "'fault': 'failing'" in caplog.text


def test_only_who_could_not_store_tells_that_it_can_again(
    health: Health, caplog: pytest.LogCaptureFixture
) -> None:
    health.note(failure("SQLITE_FULL"), stored_by="writer")
    health.stored("moderators")
    assert "takes writes again" not in caplog.text
    health.stored("writer")
    assert "takes writes again" in caplog.text
    assert health.unwritable is None


def test_that_a_trial_succeeds_settles_it_for_all(health: Health) -> None:
    health.note(failure("SQLITE_READONLY"), stored_by="writer")
    health.refuse("full")
    health.recover()
    assert health.unwritable is None


@pytest.mark.parametrize(("found", "left"), [("failing", None), ("full", "full")])
def test_a_store_speaks_against_the_trial_in_all_but_room(
    health: Health, found: Fault, left: Fault | None
) -> None:
    health.refuse(found)
    health.stored("writer")
    assert health.unwritable == left


def test_what_is_wrong_with_a_statement_is_no_fault_of_the_database(
    health: Health, caplog: pytest.LogCaptureFixture
) -> None:
    health.note(failure("SQLITE_ERROR"), stored_by="writer")
    assert health.unwritable is None
    assert caplog.records == []
