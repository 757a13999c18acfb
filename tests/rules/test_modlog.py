"""The chain of the moderation log: whatever is done to its entries later shows, and is named."""

import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.clock import new_id
from service.modlog.rules import START, Flaw, Head, entry_bytes, find_flaws
from service.modlog.tables import LogEntry

SITE = new_id()
NOW = datetime(2026, 5, 1, 12, 0, 0, 123_456, tzinfo=UTC)
# What an entry may be changed to, by column; none of these values occurs in a chain of `make_chain`.
FORGERIES: dict[str, object] = {
    "id": new_id(),
    "site_id": new_id(),
    "at": NOW.replace(microsecond=0),
    "actor_id": new_id(),
    "action": "approve!",
    "comment_id": new_id(),
    "from_status": "erased",
    "to_status": None,
    "version": 99,
    "reason": "forged",
    "subject": "forged",
    "text_hash": bytes(32),
}


def mac(message: bytes) -> bytes:
    return hmac.digest(b"the key of the log", message, "sha256")


def make_chain(length: int) -> list[LogEntry]:
    """Make a whole chain; its entries are numbered from 1."""
    entries: list[LogEntry] = []
    previous = START
    for seq in range(1, length + 1):
        entry = make_entry(seq, previous)
        entries.append(entry)
        previous = entry.mac
    return entries


def make_entry(seq: int, previous: bytes) -> LogEntry:
    entry = LogEntry(
        id=new_id(),
        site_id=SITE,
        seq=seq,
        at=NOW,
        actor_id=new_id(),
        action="approve",
        comment_id=new_id(),
        from_status="pending",
        to_status="approved",
        version=seq + 1,
        previous=previous,
        mac=START,
    )
    entry.mac = mac(entry_bytes(entry))
    return entry


def flaws_of(entries: Sequence[LogEntry], *heads: Head) -> list[Flaw]:
    ordered = sorted(entries, key=lambda entry: entry.seq)
    places = {entry.mac: entry.seq for entry in ordered}
    return list(find_flaws(ordered, mac, places.get, heads))


def named(flaws: Sequence[Flaw]) -> list[tuple[str, int]]:
    return [(flaw.kind, flaw.seq) for flaw in flaws]


def head_of(chain: Sequence[LogEntry]) -> Head:
    return Head(len(chain), chain[-1].mac if chain else START)


lengths = st.integers(min_value=1, max_value=12)


@given(length=st.integers(min_value=0, max_value=12))
def test_a_chain_that_nobody_touched_has_no_flaw(length: int) -> None:
    chain = make_chain(length)
    assert flaws_of(chain, head_of(chain)) == []


@given(data=st.data(), length=lengths, column=st.sampled_from(sorted(FORGERIES)))
def test_a_changed_entry_is_the_only_one_named(data: st.DataObject, length: int, column: str) -> None:
    chain = make_chain(length)
    changed = data.draw(st.sampled_from(chain))
    setattr(changed, column, FORGERIES[column])
    assert named(flaws_of(chain, head_of(chain))) == [("changed", changed.seq)]


@given(data=st.data(), length=lengths, column=st.sampled_from(["mac", "previous"]))
def test_a_changed_hash_is_named_at_its_own_entry(data: st.DataObject, length: int, column: str) -> None:
    chain = make_chain(length)
    head = head_of(chain)
    changed = data.draw(st.sampled_from(chain))
    setattr(changed, column, bytes(31) + b"x")
    assert ("changed", changed.seq) in named(flaws_of(chain, head))
    assert {flaw.seq for flaw in flaws_of(chain, head)} == {changed.seq}


@given(data=st.data(), length=st.integers(min_value=2, max_value=12), renumbered=st.booleans())
def test_a_removed_entry_is_named(data: st.DataObject, length: int, renumbered: bool) -> None:
    chain = make_chain(length)
    gone = data.draw(st.integers(min_value=1, max_value=length - 1))
    head = head_of(chain)
    rest = [entry for entry in chain if entry.seq != gone]
    if renumbered:
        for entry in rest[gone - 1 :]:
            entry.seq -= 1
    assert named(flaws_of(rest, head))[0] == ("removed", gone)


@given(data=st.data(), length=st.integers(min_value=2, max_value=12))
def test_reordered_entries_are_named(data: st.DataObject, length: int) -> None:
    chain = make_chain(length)
    order = data.draw(st.permutations(range(1, length + 1)))
    assume(order != sorted(order))
    head = head_of(chain)
    for entry, seq in zip(chain, order, strict=True):
        entry.seq = seq
    flaws = flaws_of(chain, head)
    first_moved = min(seq for place, seq in enumerate(order, start=1) if place != seq)
    assert ("reordered", first_moved) in named(flaws)
    assert {flaw.kind for flaw in flaws} <= {"reordered", "replaced"}


@given(data=st.data(), length=lengths)
def test_the_entries_that_were_cut_off_are_named_from_first_to_last(data: st.DataObject, length: int) -> None:
    chain = make_chain(length)
    kept = data.draw(st.integers(min_value=0, max_value=length - 1))
    [flaw] = flaws_of(chain[:kept], head_of(chain))
    assert (flaw.kind, flaw.seq, flaw.last_seq) == ("cut off", kept + 1, length)


def test_a_head_from_far_away_is_one_flaw() -> None:
    chain = make_chain(3)
    [flaw] = flaws_of(chain, head_of(chain), Head(999_999_999_999, START))
    assert flaw.line == "entry 4 to 999999999999: cut off. The chain ends at entry 3."


@given(length=lengths)
def test_a_cut_tail_shows_only_to_those_who_remember_the_head(length: int) -> None:
    chain = make_chain(length + 1)
    assert flaws_of(chain[:-1], head_of(chain[:-1])) == []


@given(data=st.data(), length=lengths)
def test_a_tail_written_anew_is_named_where_it_replaces_the_head(data: st.DataObject, length: int) -> None:
    chain = make_chain(length)
    remembered = data.draw(st.integers(min_value=1, max_value=length))
    head = head_of(chain[:remembered])
    kept = chain[: remembered - 1]
    forged = make_entry(remembered, kept[-1].mac if kept else START)
    assert named(flaws_of([*kept, forged], head)) == [("replaced", remembered)]


@given(data=st.data(), length=lengths)
def test_an_entry_forged_without_the_key_is_named(data: st.DataObject, length: int) -> None:
    chain = make_chain(length)
    forged = make_entry(length + 1, chain[-1].mac)
    forged.mac = data.draw(st.binary(min_size=32, max_size=32))
    assert named(flaws_of([*chain, forged])) == [("changed", length + 1)]


def test_a_flaw_names_the_id_of_an_entry_that_is_still_there() -> None:
    chain = make_chain(3)
    chain[1].reason = "forged"
    [flaw] = flaws_of(chain)
    assert flaw.entry == chain[1].id


@pytest.mark.parametrize("moved", ["previous", "mac", "seq"])
def test_two_entries_that_swap_all_but_one_column_do_not_verify(moved: str) -> None:
    chain = make_chain(4)
    first, second = getattr(chain[1], moved), getattr(chain[2], moved)
    setattr(chain[1], moved, second)
    setattr(chain[2], moved, first)
    assert flaws_of(chain, head_of(chain)) != []


def test_entries_that_differ_in_one_column_have_different_bytes() -> None:
    entry = make_chain(1)[0]
    seen = {entry_bytes(entry)}
    for column, value in FORGERIES.items():
        other = LogEntry(**{**entry.model_dump(), column: value})
        seen.add(entry_bytes(other))
    assert len(seen) == len(FORGERIES) + 1
    assert UUID(str(entry.id)) == entry.id
