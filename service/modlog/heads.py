"""The heads of the chains outside the database, so that a tail cut off there shows here.

One file per chain, named by its id; a line of 86 bytes for a head: its length in 20 digits, a blank, its hash
in hexadecimal, a line feed. A line is only ever added at the end; what shortens a file puts another in its
place.

They are kept short without forgetting anything that the database does not say itself. A head may go once the
database was seen to hold the very entry that it speaks of: it proves no more then than the later heads do,
which stand for all entries before theirs. A head that does not fit stays, for it shows that something was cut
off. So does the newest one of any moment: were the chain cut now, it would not fit.
"""

import asyncio
import fcntl
import os
import re
import shutil
import time
from collections.abc import Awaitable, Callable, Collection, Container, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, Literal
from uuid import UUID

from service.modlog.rules import Head

# Every line has the same width, so that what a crash left of one is told from a whole one.
_LINE = re.compile(rb"([0-9]{20}) ([0-9a-f]{64})\n")
_BROKEN_OFF = re.compile(rb"[0-9]{0,20}|[0-9]{20} [0-9a-f]{0,64}")
WIDTH = 20 + 1 + 64 + 1
# From making a file to writing its first line, on a busy machine.
SETTLE_SECONDS = 0.1


class HeadsUnreadable(RuntimeError):
    """The remembered heads cannot be read; the text says which, why, and what to do."""


class LogHeads:
    """The files in the data directory, which several processes may add to at once."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "log-heads"

    def file_of(self, site_id: UUID) -> Path:
        """Give where the heads of a chain stand."""
        return self._folder / str(site_id)

    def remember(self, site_id: UUID, head: Head) -> None:
        """Add a head; several processes may do so at once. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with locked(self.file_of(site_id)) as file:
            size = os.fstat(file).st_size
            # A part of a line, which a crash left, is written over.
            os.pwrite(file, write_head(head), size - size % WIDTH)

    def recall(self) -> dict[UUID, list[Head]]:
        """Read every remembered head; files that have no name of ours are passed over.

        Raises HeadsUnreadable: heads that nobody could read must not pass for heads that fit.
        """
        heads, damages = {}, []
        for site_id, path in self._list_named().items():
            content = _read(path) if path.is_file() else None
            damage = "it is no file" if content is None else find_damage(content)
            if damage:
                damages.append(f"{path}: {damage}")
            heads[site_id] = read_heads(content or b"")
        if damages:
            raise HeadsUnreadable(
                f"The remembered heads of the logs cannot be read: {'; '.join(damages)}. "
                "Put back what a backup has of it, or move it elsewhere to go without."
            )
        return heads

    def list_files(self) -> dict[UUID, Path]:
        """Find the files of all chains; raises HeadsUnreadable."""
        return {site_id: path for site_id, path in self._list_named().items() if path.is_file()}

    def _list_named(self) -> dict[UUID, Path]:
        """Find all that has the name of a chain, whatever it is."""
        with _readable(self._folder):
            try:
                paths = sorted(self._folder.iterdir())
            except FileNotFoundError:
                return {}
        named = ((_parse_name(path.name), path) for path in paths)
        return {site_id: path for site_id, path in named if site_id}

    def set_aside(self, site_id: UUID, heads: Collection[Head], label: str) -> Path:
        """Move heads to a file beside the chain's own, which is never read again; gives that file."""
        path = self.file_of(site_id)
        aside = path.with_name(f"{site_id}.{label}")
        with locked(path) as file:
            found = read_heads(os.pread(file, os.fstat(file).st_size, 0))
            with _writing(aside, "ab") as target:
                target.writelines(write_head(head) for head in found if head in heads)
            left = [head for head in found if head not in heads]
            if not left:
                # A file without a head is one that lost them.
                path.unlink()
                return aside
            with replacing(path, file) as draft:
                draft.writelines(write_head(head) for head in left)
        return aside


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Open the file of a chain for this process alone, and make it if it is not there."""
    while True:
        with _opened(path, os.O_RDWR | os.O_CREAT) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # While it waited for its turn, another file may have been put in the place of the one it opened.
            if _is_at(file, path):
                yield file
                return


@contextmanager
def replacing(path: Path, file: int) -> Iterator[BinaryIO]:
    """Write a file that takes the place of one that is locked; a crash leaves the one or the other."""
    draft, owner = path.with_name(f"{path.name}.draft"), os.fstat(file)
    with _writing(draft, "wb") as target:
        # A command that root types must not take the file away from the service.
        with suppress(PermissionError):
            os.fchown(target.fileno(), owner.st_uid, owner.st_gid)
        yield target
    draft.replace(path)
    with _opened(path.parent, os.O_RDONLY) as folder:
        os.fsync(folder)


def write_head(head: Head) -> bytes:
    """Give the line of a head."""
    return f"{head.length:020} {head.mac.hex()}\n".encode()


def read_heads(content: bytes) -> list[Head]:
    """Read the heads in a part of a file."""
    return [Head(int(line[1]), bytes.fromhex(line[2].decode())) for line in _LINE.finditer(content)]


def find_damage(content: bytes) -> str | None:
    """Say what is wrong with what a file holds; the last line may be one that a crash broke off."""
    if not _LINE.match(content):
        return "it does not begin with a head"
    whole = len(content) - len(content) % WIDTH
    for start in range(0, whole, WIDTH):
        if not _LINE.match(content, start):
            return f"its line {start // WIDTH + 1} is damaged"
    return None if _BROKEN_OFF.fullmatch(content, whole) else "its last line is damaged"


def _read(path: Path) -> bytes:
    """Read a file of heads to which nobody is adding one."""
    with _readable(path), _opened(path, os.O_RDONLY) as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        if os.fstat(file).st_size == 0:
            # Somebody may have made it this moment, and waits for the lock to write its first line.
            fcntl.flock(file, fcntl.LOCK_UN)
            time.sleep(SETTLE_SECONDS)
            fcntl.flock(file, fcntl.LOCK_SH)
        return os.pread(file, os.fstat(file).st_size, 0)


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    file = os.open(path, flags | os.O_CLOEXEC, mode=0o600)
    try:
        yield file
    finally:
        os.close(file)


@contextmanager
def _writing(path: Path, mode: Literal["ab", "wb"]) -> Iterator[BinaryIO]:
    """Open a file for this account alone; what was written is on the disk at the end of the block."""
    with open(path, mode, opener=partial(os.open, mode=0o600)) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise HeadsUnreadable(
            f"The remembered heads of the logs cannot be read: {path}: {error.strerror}. "
            "Give them back to the account that runs the service."
        ) from None


def _parse_name(name: str) -> UUID | None:
    try:
        found = UUID(name)
    except ValueError:
        return None
    return found if str(found) == name else None


# A file with fewer lines is left alone.
LONG = 2_000
# The last heads stay in any case: those of the moment, in whatever order several processes wrote them.
LAST = 1_000
# Of older ones so many stay that the gaps between them are about this part of their age: they tell from where
# on a chain was written anew by somebody who has its key. For a million entries that comes to a hundred.
PART = 16
# Lines that are looked up at a time.
CHUNK = 500

# Gives those of some heads whose entries the database holds.
FindProven = Callable[[Sequence[Head]], Awaitable[Container[Head]]]


async def thin_file(path: Path, find_proven: FindProven) -> None:
    """Drop from a long file the heads that prove nothing more; raises OSError."""
    with path.open("rb") as file:
        lines = os.fstat(file.fileno()).st_size // WIDTH
        # What is damaged stays as it is, for somebody to see.
        if lines < LONG or await asyncio.to_thread(_is_damaged, path):
            return
        kept = await _choose(file, lines - LAST, find_proven)
        await asyncio.to_thread(_put_in_place, path, file, (lines - LAST) * WIDTH, kept)


def _is_damaged(path: Path) -> bool:
    return find_damage(path.read_bytes()) is not None


async def _choose(file: BinaryIO, lines: int, find_proven: FindProven) -> list[Head]:
    """Give those of the first lines of a file that stay."""
    file.seek(lines * WIDTH)
    newest = max((head.length for head in read_heads(file.read())), default=0)
    file.seek(0)
    kept, mark = [], 0
    while lines > 0:
        heads = read_heads(file.read(min(lines, CHUNK) * WIDTH))
        lines -= CHUNK
        proven = await find_proven(heads)
        for head in heads:
            if head not in proven:
                kept.append(head)
            elif (head.length - mark) * PART >= newest - head.length:
                kept.append(head)
                mark = head.length
    return kept


def _put_in_place(path: Path, file: BinaryIO, old_end: int, kept: Sequence[Head]) -> None:
    """Write the kept heads and all behind the old ones, also what was added meanwhile, in place of a file."""
    with locked(path) as present:
        if not os.path.samestat(os.fstat(present), os.fstat(file.fileno())):
            # Another process was faster.
            return
        with replacing(path, present) as draft:
            draft.writelines(write_head(head) for head in kept)
            file.seek(old_end)
            shutil.copyfileobj(file, draft)
