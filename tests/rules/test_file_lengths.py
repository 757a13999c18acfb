"""A file that no longer fits in one's head is split, or says here why not."""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent.parent
MAX_LINES = 300
SUFFIXES = {".py", ".html", ".css", ".js"}

# Path to reason; a line goes again once its file is short enough.
ALLOWED = {
    "service/database/migrations/versions/0001_make_every_table.py": "The first step writes out every table.",
}


def long_files(folder: str) -> set[str]:
    return {
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / folder).rglob("*")
        if path.suffix in SUFFIXES and len(path.read_bytes().splitlines()) > MAX_LINES
    }


@pytest.mark.parametrize("folder", ["service", "tests"])
def test_no_file_is_too_long_without_a_reason(folder: str) -> None:
    allowed = {path for path in ALLOWED if path.startswith(f"{folder}/")}
    assert long_files(folder) == allowed
