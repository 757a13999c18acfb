"""A disk of its own for a test, so small that it can be filled. Linux and root only."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.processes import RightMissing


class SmallDisk:
    """A folder that holds so much and no more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self, spare: int = 0) -> None:
        """Take all the room that is left, but for so many bytes."""
        with self._filler.open("ab") as filler:
            os.truncate(filler.fileno(), 0)
            left = os.statvfs(self.folder)
            os.posix_fallocate(filler.fileno(), 0, left.f_bavail * left.f_frsize - spare)

    def clear(self) -> None:
        """Give back what `fill` took."""
        self._filler.unlink()


@contextmanager
def small_disk(mebibytes: int) -> Iterator[SmallDisk]:
    """Give a disk in memory that others than us may write to, too. Raises RightMissing."""
    if os.geteuid() != 0:
        raise RightMissing("a disk of its own needs root")
    with TemporaryDirectory(prefix="greenroom-") as folder:
        # Pytest's own folders let nobody through.
        os.chmod(folder, 0o711)  # noqa: S103 - it holds no secret.
        place = Path(folder, "disk")
        place.mkdir()
        options = f"size={mebibytes}m,mode=0777"
        mount = ["mount", "-t", "tmpfs", "-o", options, "greenroom-test", str(place)]
        if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
            raise RightMissing("nothing can be mounted here")
        try:
            yield SmallDisk(place)
        finally:
            # Lazily: a server that is about to stop may have it open still.
            subprocess.run(["umount", "--lazy", str(place)], check=True)
