"""What a run of the tests meets: every SQL statement and every answer of the API, on each database.

    make test ARGS="--met /tmp/before" && make test-more ARGS="--met /tmp/before"
    …
    .venv/bin/python -m tests.met /tmp/before /tmp/after

The last prints what the first folder has and the second lacks. Only what runs in the tests' own processes is
seen, not what a service does that they start as a process of its own.
"""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

from service.http.edge import Edge

_NAMES = re.compile(r"%\(\w+\)s")
# What differs from one execution to the next: counts, savepoints and the names of databases.
_NUMBERS = re.compile(r"\b\d+\b|(?<=sa_savepoint_)\d+|(?<=greenroom_)[0-9a-f]{32}")
_LISTS = re.compile(r"(\?(?:::[\w ]+)?)(?:, \?(?:::[\w ]+)?)+")
_ROWS = re.compile(r"(\([^()]*\))(?:, \1)+")


def normalise(statement: str) -> str:
    """Say a statement on one line, without what depends on the number and the values of its parameters."""
    line = _NUMBERS.sub("0", _NAMES.sub("?", " ".join(statement.split())))
    return _ROWS.sub(r"\1", _LISTS.sub(r"\1", line))


def record() -> Callable[[Path], None]:
    """Note from here on what this process meets; gives what writes it into a folder."""
    met: set[str] = set()

    @event.listens_for(Engine, "before_cursor_execute")
    def note_statement(connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        met.add(f"{connection.dialect.name}\t{normalise(statement)}")

    note = Edge._note

    def note_answer(edge: Edge, method: str, template: str, status: int, *rest: Any) -> None:
        database = "sqlite" if edge.process.settings.is_sqlite else "postgresql"
        met.add(f"{database}\t{method} {template} {status}")
        note(edge, method, template, status, *rest)

    Edge._note = note_answer  # type: ignore[method-assign,assignment]

    def write(folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        Path(folder, f"{os.getpid()}.txt").write_text("".join(f"{one}\n" for one in sorted(met)))

    return write


def read(folder: str) -> set[str]:
    """Read what all processes of some runs have met."""
    return {line for file in Path(folder).glob("*.txt") for line in file.read_text().splitlines()}


if __name__ == "__main__":
    before, after = map(read, sys.argv[1:])
    print(f"{len(before)} before, {len(after)} after, {len(after - before)} new", file=sys.stderr)
    print("".join(f"{line}\n" for line in sorted(before - after)), end="")
    sys.exit(bool(before - after))
