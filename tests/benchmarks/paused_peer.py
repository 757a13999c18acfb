"""Run a script of the peers' harness up to where its server is there, filled and ready, and pause there.

`python -m tests.benchmarks.paused_peer HARNESS READY SCRIPT ARGUMENT…`. What the script would measure is
written to READY instead: where to read and to write, and which processes serve. Who reads that file measures
all peers in turn. At the end of standard input the script ends as if it was interrupted, and stops what it
started.
"""

import importlib
import runpy
import sys
from pathlib import Path
from typing import Any

import msgspec

MEASURING = ("record", "steady", "crash", "ratelimit", "save")


class Ready(msgspec.Struct, frozen=True):
    """A peer that waits to be measured."""

    reads: dict[str, str]
    """URLs of pages of comments by the harness's names of the articles."""
    write: str
    write_environment: dict[str, str]
    """What the harness would tell its own script for wrk."""
    roots: list[int]


class Pause:
    """Stands in for what the harness measures."""

    def __init__(self, harness: Any, file: Path) -> None:
        self._harness, self._file = harness, file
        self._reads: dict[str, str] = {}

    def reads(self, _name: str, urls: dict[str, str], *_: object, **__: object) -> None:
        self._reads = self._reads or urls

    def writes(self, _name: str, url: str, given: dict[str, str], *_: object, **__: object) -> None:
        ready = Ready(self._reads, url, given, list(self._harness.ROOTS))
        self._file.write_bytes(msgspec.json.encode(ready))
        sys.stdin.read()
        sys.exit()


def skip(*_: object, **__: object) -> None:
    """Measure nothing."""


def main(folder: str, file: str, script: str, *arguments: str) -> None:
    sys.path.insert(0, folder)
    harness: Any = importlib.import_module("peerbench")
    pause = Pause(harness, Path(file))
    harness.reads, harness.writes = pause.reads, pause.writes
    for name in MEASURING:
        setattr(harness, name, skip)
    sys.argv = [script, *arguments]
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
