"""The chain: how an entry is hashed, and how a changed, removed, reordered or cut-off entry shows.

An entry's hash covers its content and the hash of the entry before. So an entry that verifies by itself
but does not follow its neighbour was moved, or its neighbour was removed.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

import msgspec
from msgspec import field

from service.clock import new_id
from service.modlog.tables import LogEntry, LogText

Mac = Callable[[bytes], bytes]
# Takes a purpose and parts, as `Keyring.mac`, which puts the length of each part before it.
MacParts = Callable[..., bytes]
# Gives the `seq` of the entry of the chain that has a hash, or None.
FindSeq = Callable[[bytes], int | None]
# What the first entry of a chain follows.
START = bytes(32)
SALT_BYTES = 16


class Flaw(msgspec.Struct, frozen=True):
    """One thing that is wrong with a chain: what, and at which entry, or from which to which."""

    kind: str
    seq: int
    entry: UUID | None
    detail: str
    last_seq: int | None = None

    @property
    def line(self) -> str:
        """The flaw in one line."""
        last = f" to {self.last_seq}" if self.last_seq else ""
        known = f" ({self.entry})" if self.entry else ""
        return f"entry {self.seq}{last}{known}: {self.kind}. {self.detail}"


class Unreadable(msgspec.Struct, frozen=True):
    """An entry of which only the place is known."""

    seq: int


class Head(msgspec.Struct, frozen=True):
    """The end of a chain as somebody remembers it: its length and the hash of its last entry."""

    length: int
    mac: bytes


class Entry(msgspec.Struct):
    """One thing that was done, and its free `text`; what its place decides is set when it is appended."""

    site_id: UUID
    at: datetime
    actor_id: UUID | None
    action: str
    comment_id: UUID | None = None
    from_status: str | None = None
    to_status: str | None = None
    version: int | None = None
    reason: str | None = None
    subject: str | None = None
    text: str | None = None
    id: UUID = field(default_factory=new_id)
    seq: int = 0
    text_hash: bytes | None = None
    previous: bytes = START
    mac: bytes = START


def entry_bytes(entry: LogEntry | Entry) -> bytes:
    """Give the canonical bytes of an entry that its hash covers: everything but its hash and its place."""
    return msgspec.json.encode(
        [
            str(entry.id),
            str(entry.site_id),
            _instant(entry.at),
            _text(entry.actor_id),
            entry.action,
            _text(entry.comment_id),
            entry.from_status,
            entry.to_status,
            entry.version,
            entry.reason,
            entry.subject,
            entry.text_hash.hex() if entry.text_hash else None,
            entry.previous.hex(),
        ]
    )


def hash_text(mac: MacParts, salt: bytes, text: str) -> bytes:
    """Hash the free text of an entry: the entry holds this alone, so that it can be erased."""
    return mac("log/text", salt, text.encode())


def is_text_of(mac: MacParts, note: LogText, text_hash: bytes | None) -> bool:
    """Tell whether a text is the one that was hashed.

    Entries of 0.x hold a plain SHA-256 of both, in which only the length of the salt says where the text
    begins.
    """
    plain = sha256(note.salt + note.text.encode()).digest()
    is_whole = len(note.salt) == SALT_BYTES
    return is_whole and text_hash in (hash_text(mac, note.salt, note.text), plain)


def _instant(at: datetime) -> int:
    """Give microseconds since the epoch, which both databases keep exactly."""
    return int(at.timestamp()) * 1_000_000 + at.microsecond


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None


def find_flaws(
    entries: Iterable[LogEntry | Unreadable], mac: Mac, find_seq: FindSeq, heads: Sequence[Head]
) -> Iterator[Flaw]:
    """Check a chain, given in order of `seq`, and against every remembered head.

    `find_seq` is asked only about an entry that follows another than its neighbour: it was moved if the
    one that it follows is there, else that one was removed.
    """
    known: dict[int, set[bytes]] = {}
    for head in heads:
        known.setdefault(head.length, set()).add(head.mac)
    previous: Container[bytes] = {START}
    last = 0
    for entry in entries:
        if isinstance(entry, Unreadable):
            yield Flaw("unreadable", entry.seq, None, "It holds something that nobody writes there.")
            previous, last = _Anything(), entry.seq
            continue
        computed = mac(entry_bytes(entry))
        flaw = _check_entry(entry, computed, previous, last + 1, find_seq)
        if flaw:
            yield flaw
        else:
            yield from _check_heads(entry, known.get(entry.seq, ()))
        # Of a changed entry either the stored hash or the content is still what the next one follows.
        previous, last = {entry.mac, computed}, entry.seq
    longest = max(known, default=0)
    if longest > last:
        yield Flaw("cut off", last + 1, None, f"The chain ends at entry {last}.", longest)


class _Anything(Container[bytes]):
    """What the entry after an unreadable one may follow."""

    def __contains__(self, _: object) -> bool:
        return True


def _check_entry(
    entry: LogEntry,
    computed: bytes,
    previous: Container[bytes],
    expected_seq: int,
    find_seq: FindSeq,
) -> Flaw | None:
    if entry.mac != computed:
        return Flaw("changed", entry.seq, entry.id, "Its content does not match its hash.")
    if entry.previous in previous and entry.seq == expected_seq:
        return None
    follows = 0 if entry.previous == START else find_seq(entry.previous)
    if follows is not None and entry.previous not in previous:
        return Flaw("reordered", entry.seq, entry.id, f"It was written after entry {follows}.")
    return Flaw("removed", expected_seq, None, f"Entry {entry.seq} follows one that is not there.")


def _check_heads(entry: LogEntry, macs: Iterable[bytes]) -> Iterator[Flaw]:
    if any(mac != entry.mac for mac in macs):
        yield Flaw("replaced", entry.seq, entry.id, "It is not the entry that was the head.")
