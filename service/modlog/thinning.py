"""Keeping the files of heads short, without forgetting anything that the database does not say itself.

A head may go once the database was seen to hold the very entry that it speaks of: it proves no more then than
the later heads do, which stand for all entries before theirs. A head that does not fit stays, for it shows
that something was cut off. So does the newest one of any moment: were the chain cut now, it would not fit.
"""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Container, Sequence
from pathlib import Path
from typing import BinaryIO

from service.modlog.heads import WIDTH, find_damage, locked, read_heads, replacing, write_head
from service.modlog.rules import Head

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
