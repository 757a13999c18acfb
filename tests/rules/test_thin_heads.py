"""Files of heads stay short, and what was cut off shows for ever all the same."""

from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.clock import new_id
from service.modlog.heads import LAST, LONG, LogHeads, thin_file, write_head
from service.modlog.rules import START, Head

SITE = new_id()
# By length, the hash of the entry that stands there.
Chain: TypeAlias = dict[int, bytes]


def extend(chain: Chain, count: int, tale: str = "") -> list[Head]:
    """Append entries to a chain, and give its head after each."""
    heads = []
    for length in range(len(chain) + 1, len(chain) + count + 1):
        chain[length] = sha256(chain.get(length - 1, START) + tale.encode()).digest()
        heads.append(Head(length, chain[length]))
    return heads


def cut(chain: Chain, length: int) -> None:
    for gone in range(length + 1, len(chain) + 1):
        del chain[gone]


def prover(chain: Chain) -> Callable[[Sequence[Head]], Awaitable[set[Head]]]:
    """Look heads up in a chain, as the service does in the database."""

    async def find(heads: Sequence[Head]) -> set[Head]:
        return {head for head in heads if chain.get(head.length) == head.mac}

    return find


def write(heads: LogHeads, lines: Sequence[Head]) -> Path:
    path = heads.file_of(SITE)
    path.parent.mkdir(exist_ok=True)
    with path.open("ab") as file:
        file.writelines(map(write_head, lines))
    return path


async def test_a_long_file_becomes_short_and_a_short_one_is_left_alone(tmp_path: Path) -> None:
    heads, chain = LogHeads(tmp_path), Chain()
    path = write(heads, extend(chain, LONG - 1))
    before = path.read_bytes()
    await thin_file(path, prover(chain))
    assert path.read_bytes() == before
    write(heads, extend(chain, 100_000))
    await thin_file(path, prover(chain))
    kept = heads.recall()[SITE]
    assert len(kept) <= LAST + 120
    assert kept[-LAST:] == [Head(n, chain[n]) for n in range(len(chain) - LAST + 1, len(chain) + 1)]
    # Of any old place it can be told whether the chain is still the one that it was there.
    lengths = [head.length for head in kept]
    assert all((later - earlier) <= 1 + (len(chain) - earlier) / 16 for earlier, later in pairwise(lengths))


async def test_what_is_added_meanwhile_and_half_a_line_stay(tmp_path: Path) -> None:
    heads, chain = LogHeads(tmp_path), Chain()
    path = write(heads, extend(chain, LONG))
    late: list[Head] = []

    async def find(some: Sequence[Head]) -> Sequence[Head]:
        late.append(Head(99_999 + len(late), b"c" * 32))
        heads.remember(SITE, late[-1])
        with path.open("ab") as file:
            file.write(b"0000")
        return some

    await thin_file(path, find)
    assert late
    assert heads.recall()[SITE][-len(late) :] == late
    assert path.read_bytes().endswith(write_head(late[-1]) + b"0000")


async def test_of_two_who_thin_a_file_at_once_one_does(tmp_path: Path) -> None:
    heads, chain, late = LogHeads(tmp_path), Chain(), Head(99_999, b"c" * 32)
    path = write(heads, extend(chain, LONG))

    async def find(some: Sequence[Head]) -> Sequence[Head]:
        if late not in heads.recall()[SITE]:
            await thin_file(path, prover(chain))
            heads.remember(SITE, late)
        return some

    await thin_file(path, find)
    kept = heads.recall()[SITE]
    assert kept[-1] == late
    assert len(kept) == len(set(kept)) < LONG


@pytest.fixture
def soon_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.modlog.heads.LONG", 6)
    monkeypatch.setattr("service.modlog.heads.LAST", 3)


@pytest.mark.usefixtures("soon_long")
# Each of them waits for the disk some times.
@settings(max_examples=20, deadline=None)
@given(
    before=st.integers(1, 40),
    gone=st.integers(1, 40),
    after=st.lists(st.integers(0, 30), max_size=5),
)
async def test_a_cut_shows_however_often_the_file_is_thinned_afterwards(
    tmp_path_factory: pytest.TempPathFactory, before: int, gone: int, after: list[int]
) -> None:
    heads, chain = LogHeads(tmp_path_factory.mktemp("heads")), Chain()
    path = write(heads, extend(chain, before))
    await thin_file(path, prover(chain))
    cut(chain, max(0, before - gone))
    for count in after:
        write(heads, extend(chain, count, "another tale"))
        await thin_file(path, prover(chain))
    fitting = await prover(chain)(heads.recall()[SITE])
    assert Head(before, extend(Chain(), before)[-1].mac) not in fitting
    assert set(heads.recall()[SITE]) - fitting
