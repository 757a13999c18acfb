"""How the workers of one `serve` add up what they count: each writes into files that all of them read.

Each has a slot, a number in the names of its files. Whoever takes the slot of a worker that has ended goes on
with its counts, so there are never more files than workers. A file has all its room from the start: in one
that only seems to have it, the first word that finds the disk full kills the process (SIGBUS).
"""

import fcntl
import os
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from prometheus_client import CollectorRegistry, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from service.telemetry.logs import get_logger

# The library's own variable: the folder with the files.
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
# What the library makes a file of, with the bytes for all that we can count: labels are few and fixed.
ROOM_BYTES = {
    "counter": 1 << 19,
    "histogram": 1 << 19,
    "gauge_livesum": 1 << 16,
    "gauge_livemax": 1 << 16,
    "gauge_livemin": 1 << 16,
}
_logger = get_logger(__name__)


class Slot:
    """The place of this process among those that count together. Raises OSError where it gets none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._take(0, {})

    def number(self) -> int:
        """Give the number of the slot, which changes when the slot is another one."""
        return self._number

    def stay(self) -> None:
        """Take another slot, with all that was counted, when somebody has removed the files."""
        mine = [path for path, file in self._files.items() if _is_at(file, path)]
        if len(mine) == len(self._files):
            return
        before = self._files
        counted = {_kind(path): _read(file) for path, file in before.items()}
        try:
            self._take(self._number + 1, counted)
        except OSError:
            # It is tried again the next time.
            return
        for path in mine:
            # It would be counted twice.
            path.unlink(missing_ok=True)
        for file in before.values():
            os.close(file)
        _logger.error("files of the workers' counts were removed: they are made anew")

    def _take(self, first: int, counted: Mapping[str, bytes]) -> None:
        """Take the first slot from a number on that is free; `counted` is what its files are to hold."""
        _make_folder(self._folder)
        number = first
        while (lock := _lock(self._folder, number)) is None:
            number += 1
        files = {_lock_path(self._folder, number): lock}
        try:
            mark_dead(self._folder, number)
            for kind, room in ROOM_BYTES.items():
                path = self._folder / f"{kind}_{number}.db"
                files[path] = _open(path, room, counted.get(kind, b""))
        except OSError:
            for file in files.values():
                os.close(file)
            raise
        # Last, since what follows goes by the number.
        self._files, self._number = files, number


@cache
def join_workers() -> Slot | None:
    """Have this process count where its fellows do, before it makes the first metric.

    Gives None where it counts alone: it has no fellows, or there is no room.
    """
    if (folder := os.environ.get(SHARED_FOLDER)) is None:
        return None
    try:
        slot = Slot(Path(folder))
    except OSError as error:
        # A worker whose counts are missing is better than none.
        _logger.error("this worker's counts are missing in the metrics", error=error.strerror)
        values.ValueClass = values.MutexValue
        return None
    values.ValueClass = values.MultiProcessValue(slot.number)  # type: ignore[no-untyped-call]  # The library has no types here.
    return slot


def collect_shared() -> CollectorRegistry | None:
    """Gather what all workers count; None where there is only this process."""
    folder = os.environ.get(SHARED_FOLDER)
    if folder is None or not Path(folder).is_dir():
        return None
    _forget_dead_workers(Path(folder))
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]  # As above.
    return together


def mark_dead(folder: Path, number: int) -> None:
    """Drop what the worker of a slot said of itself; what it counted stays."""
    # Another worker may do so at the same moment.
    with suppress(FileNotFoundError):
        mark_process_dead(number, str(folder))  # type: ignore[no-untyped-call]  # As above.


def _forget_dead_workers(folder: Path) -> None:
    """Look for workers that have ended, since one that was killed can no longer tidy up."""
    for path in folder.glob("*.lock"):
        if (lock := _lock(folder, int(path.stem))) is not None:
            mark_dead(folder, int(path.stem))
            os.close(lock)


def _lock(folder: Path, number: int) -> int | None:
    """Take the lock of a slot unless somebody has it; it is held until it is closed or the process ends."""
    lock = os.open(_lock_path(folder, number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _lock_path(folder: Path, number: int) -> Path:
    return folder / f"{number}.lock"


def _kind(path: Path) -> str:
    return path.stem.rpartition("_")[0]


def _is_at(file: int, path: Path) -> bool:
    """Tell whether an open file is still the one at a path; another worker's may be there."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _make_folder(folder: Path) -> None:
    """Make the folder if it is gone; raises OSError where somebody else has made it meanwhile."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.lstat().st_uid != os.geteuid():
        raise PermissionError(f"{folder} belongs to another account")


def _open(path: Path, room_bytes: int, content: bytes) -> int:
    """Open a file that has its room, and make it unless the slot's last worker left it."""
    if content or not path.exists():
        # Under another name first: who reads meanwhile must not find a part of it.
        draft = path.with_suffix(".draft")
        try:
            draft.write_bytes(content.ljust(room_bytes, b"\0"))
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def _read(file: int) -> bytes:
    return os.pread(file, os.fstat(file).st_size, 0)
