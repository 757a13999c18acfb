"""The heads of the chains outside the database, so that a tail cut off there shows here."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

from service.modlog.rules import Head

# Every line has the same width, so that what a crash left of one is told from a whole one.
_LINE = re.compile(rb"([0-9]{20}) ([0-9a-f]{64})\n")
_WIDTH = 20 + 1 + 64 + 1


class LogHeads:
    """One file per chain in the data directory; a line for every head that the chain ever had here.

    No line is ever replaced: a tail that was cut off shows also after the chain has grown past it.
    """

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "log-heads"

    def remember(self, site_id: UUID, head: Head) -> None:
        """Add a head; several processes may do so at once. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with _opened(self._folder / str(site_id), os.O_RDWR | os.O_CREAT) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            size = os.fstat(file).st_size
            # A part of a line, which a crash left, is written over.
            line = f"{head.length:020} {head.mac.hex()}\n".encode()
            os.pwrite(file, line, size - size % _WIDTH)

    def recall(self) -> dict[UUID, list[Head]]:
        """Read every remembered head; what is not a head of ours is passed over."""
        heads = {}
        for path in self._folder.glob("*"):
            # A name that is not an id, or a folder.
            with suppress(ValueError, IsADirectoryError), _opened(path, os.O_RDONLY) as file:
                fcntl.flock(file, fcntl.LOCK_SH)
                content = os.pread(file, os.fstat(file).st_size, 0)
                if found := _parse(content):
                    heads[UUID(path.name)] = found
        return heads


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    file = os.open(path, flags | os.O_CLOEXEC, mode=0o600)
    try:
        yield file
    finally:
        os.close(file)


def _parse(content: bytes) -> list[Head]:
    return [Head(int(line[1]), bytes.fromhex(line[2].decode())) for line in _LINE.finditer(content)]
