"""The heads of the chains outside the database, so that a tail cut off there shows here."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

from service.modlog.rules import Head

# Every line has the same width, so that a head is replaced by one write within one block of the disk:
# a crash leaves the old one or the new one.
_LINE = re.compile(rb"([0-9]{20}) ([0-9a-f]{64})\n")
_WIDTH = 20 + 1 + 64 + 1


class LogHeads:
    """One small file per chain in the data directory: its length and the hash of its last entry."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "log-heads"

    def remember(self, site_id: UUID, head: Head) -> None:
        """Write a head unless a longer one is remembered; several processes may do so at once.

        Raises OSError.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with _opened(self._folder / str(site_id), os.O_RDWR | os.O_CREAT) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            known = _read(file)
            if known is None or known.length < head.length:
                os.pwrite(file, f"{head.length:020} {head.mac.hex()}\n".encode(), 0)

    def recall(self) -> dict[UUID, Head]:
        """Read every remembered head; what is not a head of ours is passed over."""
        heads = {}
        for path in self._folder.glob("*"):
            # A name that is not an id, or a folder.
            with suppress(ValueError, IsADirectoryError), _opened(path, os.O_RDONLY) as file:
                fcntl.flock(file, fcntl.LOCK_SH)
                if head := _read(file):
                    heads[UUID(path.name)] = head
        return heads


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    file = os.open(path, flags | os.O_CLOEXEC, mode=0o600)
    try:
        yield file
    finally:
        os.close(file)


def _read(file: int) -> Head | None:
    found = _LINE.fullmatch(os.pread(file, _WIDTH + 1, 0))
    return Head(int(found[1]), bytes.fromhex(found[2].decode())) if found else None
