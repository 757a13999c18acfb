"""The heads of the chains outside the database, so that a tail cut off there shows here."""

import fcntl
import os
from pathlib import Path
from typing import IO
from uuid import UUID

from service.modlog.rules import Head


class LogHeads:
    """One small file per chain in the data directory: its length and the hash of its last entry."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "log-heads"

    def remember(self, site_id: UUID, head: Head) -> None:
        """Write a head unless a longer one is remembered; several processes may do so at once."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with open(self._folder / str(site_id), "a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            known = _parse(file)
            if known is None or known.length < head.length:
                file.seek(0)
                file.truncate()
                file.write(f"{head.length} {head.mac.hex()}\n".encode())

    def recall(self, site_id: UUID) -> Head | None:
        """Read the remembered head of a chain."""
        try:
            with open(self._folder / str(site_id), "rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH)
                return _parse(file)
        except FileNotFoundError:
            return None

    def chains(self) -> list[UUID]:
        """List the chains whose heads are remembered."""
        return [UUID(name) for name in os.listdir(self._folder)] if self._folder.is_dir() else []


def _parse(file: IO[bytes]) -> Head | None:
    file.seek(0)
    parts = file.read().split()
    # A process that was killed while it wrote leaves a part of a line, which is no head.
    if len(parts) != 2 or len(parts[1]) != 64:
        return None
    return Head(int(parts[0]), bytes.fromhex(parts[1].decode("ascii")))
