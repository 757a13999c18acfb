"""Every fault that the docs promise something about is tried by a test, and every such test is told of."""

import re
from pathlib import Path

from tests.rules.test_docs import REPOSITORY, read_rows

FAULTS = REPOSITORY / "tests" / "faults"
# What it tries is the tests' own servers.
NOT_OURS = {"test_private_servers.py"}


def read_table() -> dict[str, list[str]]:
    """Give the tests of each fault: files, or `file::function`."""
    rows = read_rows("operations/faults.md", "fault")
    return {fault: re.findall(r"`([^`]+)`", cells[-1]) for fault, cells in rows.items()}


def is_there(test: str) -> bool:
    file, _, function = test.partition("::")
    path = FAULTS / file
    return path.is_file() and (not function or f"def {function}(" in path.read_text())


def test_every_row_is_complete() -> None:
    rows = read_rows("operations/faults.md", "fault")
    assert [fault for fault, cells in rows.items() if len(cells) != 4 or not all(cells)] == []


def test_every_fault_names_tests_that_are_there() -> None:
    table = read_table()
    assert [fault for fault, tests in table.items() if not tests] == []
    assert [test for tests in table.values() for test in tests if not is_there(test)] == []


def test_every_test_of_a_fault_stands_in_the_table() -> None:
    named = {test.partition("::")[0] for tests in read_table().values() for test in tests}
    files = {path.name for path in Path(FAULTS).glob("test_*.py")}
    assert files - named == NOT_OURS
