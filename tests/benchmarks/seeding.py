"""A site full of comments, written straight into the tables as the service would have left them.

The rows keep to every rule of the service: visibility, counters, addresses that open, an entry of the log for
each decision. Only the hashes that chain the log are made up, so that `log verify` would find flaws.
"""

import random
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, islice, repeat
from typing import Any
from uuid import UUID

import msgspec
from sqlmodel import col, select, update

from service.accounts.tables import Moderator
from service.clock import new_id
from service.command_line import commands
from service.comments.search import make_search
from service.modlog.tables import LogHead
from service.privacy.secrets import NONCE_BYTES
from service.privacy.vault import Keyring
from service.settings import Settings
from service.text.markup import MARKUP_VERSION, render_html
from tests.benchmarks.bulk import Bulk, open_bulk

BATCH = 20_000
# However many comments there are, they came in within the year before.
SPAN = timedelta(days=365)
DECIDED_AFTER = timedelta(minutes=1)
HASH_BYTES = 32
WORDS = (
    *("the", "of", "moderation", "queue", "editor", "reply", "thanks", "article", "point", "agree"),
    *("however", "data", "server", "long", "evening", "measured", "figure", "reader", "simple"),
    *("honest", "example", "question", "answer", "never", "quick", "page"),
)
TEXT_CHARS = 300
# Rendering a text of its own for each comment would take longer than all the rest.
TEXTS = 500
COMMENTS_PER_AUTHOR = 10
ACTIONS = {"approved": "approve", "rejected": "reject", "spam": "spam"}

COMMENT = (
    "id, site_id, article_id, parent_id, depth, name, url, text, html, markup, search, status,"
    " visibility, version, edited, submitted_at, decided_at, risk, signals, fingerprint, client_hash"
)
ADDRESS = "id, site_id, key_id, sealed, author_index"
ENTRY = "id, site_id, seq, at, actor_id, action, comment_id, from_status, to_status, version, previous, mac"
ARTICLE = "id, site_id, key, is_closed, visible, revision, created_at"


class Crowd(msgspec.Struct, frozen=True):
    """How many comments there are under each article, and what share of all became what."""

    articles: Mapping[str, int]
    pending: float = 0.0
    rejected: float = 0.0
    spam: float = 0.0
    replies: float = 0.0

    @property
    def size(self) -> int:
        return sum(self.articles.values())


async def seed_site(settings: Settings, slug: str, crowd: Crowd) -> dict[str, UUID]:
    """Fill an empty site that nothing serves yet; gives the ids of its articles by their keys."""
    async with commands.working(settings) as services:
        site = (await services.directory.get(slug)).id
        async with services.reading() as session:
            keyring = await services.vault.keyring(session)
            bob = (await session.exec(select(Moderator.id).where(Moderator.name == "Bob"))).one()
            log = (await session.get_one(LogHead, site)).length
    with open_bulk(settings.database_url) as bulk:
        seeding = Seeding(bulk, keyring, site, bob, log, crowd)
        seeding.write_all()
    async with commands.working(settings) as services, services.writing() as session:
        head = update(LogHead).where(col(LogHead.site_id) == site)
        await session.exec(head.values(length=seeding.log_length, mac=bytes(HASH_BYTES)))
    return seeding.articles


class Seeding:
    """One site as it is filled: what was written so far, and the counters that come of it."""

    def __init__(self, bulk: Bulk, keyring: Keyring, site: UUID, bob: UUID, log: int, crowd: Crowd) -> None:
        self.articles = {key: new_id() for key in crowd.articles}
        self._bulk, self._keyring, self._crowd = bulk, keyring, crowd
        self._site, self._bob = bulk.as_id(site), bulk.as_id(bob)
        self._site_id, self.log_length = site, log
        # The same database each time, so that two runs measure the same work.
        self._random = random.Random(crowd.size)  # noqa: S311 - Nothing secret comes of it.
        self._author_total = crowd.size // COMMENTS_PER_AUTHOR + 1
        self._texts = [_make_text(self._random) for _ in range(TEXTS)]
        self._roots: dict[UUID, UUID] = {}
        self._visible: Counter[UUID] = Counter()
        self._statuses: Counter[str] = Counter()
        self._days: Counter[tuple[str, str]] = Counter()
        self._authors: dict[bytes, Counter[str]] = {}

    def write_all(self) -> None:
        """Write every row of the site."""
        places = list(
            chain.from_iterable(
                repeat(self.articles[key], count) for key, count in self._crowd.articles.items()
            )
        )
        self._random.shuffle(places)
        start, step = datetime.now(UTC) - SPAN, SPAN / max(1, len(places))
        comments = (self._make(place, start + i * step) for i, place in enumerate(places))
        while batch := list(islice(comments, BATCH)):
            self._bulk.write("comment", COMMENT, [comment for comment, _, _ in batch])
            self._bulk.write("sealed_address", ADDRESS, [address for _, address, _ in batch])
            self._bulk.write("log_entry", ENTRY, [entry for *_, entry in batch if entry])
        self._write_articles(start)
        self._write_counters()

    def _make(self, article: UUID, at: datetime) -> tuple[Sequence[Any], Sequence[Any], Sequence[Any] | None]:
        """Make the rows of one comment: itself, its address, and the entry of the log about it."""
        comment_id, status = make_id(self._random, at), self._choose_status()
        parent = self._roots.get(article) if self._happens(self._crowd.replies) else None
        text, html = self._random.choice(self._texts)
        author = self._random.randrange(self._author_total)
        name = f"Reader {author}"
        url = f"https://site{author}.example.org/" if author % 3 == 0 else None
        as_id, as_time, is_decided = self._bulk.as_id, self._bulk.as_time, status != "pending"
        decided_at = at + DECIDED_AFTER
        if status == "approved":
            self._visible[article] += 1
            self._roots.setdefault(article, comment_id)
        comment = (
            *(as_id(comment_id), self._site, as_id(article), as_id(parent) if parent else None),
            *(1 if parent else 0, name, url),
            *(text, html, MARKUP_VERSION, make_search(name, url, text, html), status),
            "visible" if status == "approved" else "hidden",
            *(2 if is_decided else 1, False, as_time(at)),
            as_time(decided_at) if is_decided else None,
            self._random.random() if self._happens(0.5) else None,
            *("[]", self._random.randbytes(HASH_BYTES), bytes(HASH_BYTES)),
        )
        self._count(status, at)
        address = self._seal(comment_id, author, status)
        return comment, address, self._log_decision(comment_id, status, decided_at)

    def _happens(self, share: float) -> bool:
        return self._random.random() < share

    def _choose_status(self) -> str:
        crowd, point = self._crowd, self._random.random()
        for status in ("pending", "rejected", "spam"):
            share: float = getattr(crowd, status)
            if point < share:
                return status
            point -= share
        return "approved"

    def _seal(self, comment_id: UUID, author: int, status: str) -> Sequence[Any]:
        key = self._keyring.current
        address = f"reader{author}@mail.example"
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + key.cipher.encrypt(nonce, address.encode(), comment_id.bytes)
        index = key.index_author(self._site_id, address)
        if status != "pending":
            self._authors.setdefault(index, Counter())[status] += 1
        as_id = self._bulk.as_id
        return as_id(comment_id), self._site, as_id(key.id), sealed, index

    def _log_decision(self, comment_id: UUID, status: str, at: datetime) -> Sequence[Any] | None:
        if status == "pending":
            return None
        self.log_length += 1
        as_id = self._bulk.as_id
        return (
            *(
                as_id(make_id(self._random, at)),
                self._site,
                self.log_length,
                self._bulk.as_time(at),
            ),
            *(self._bob, ACTIONS[status], as_id(comment_id), "pending", status, 2),
            *(bytes(HASH_BYTES), bytes(HASH_BYTES)),
        )

    def _count(self, status: str, at: datetime) -> None:
        day = at.date().isoformat()
        self._statuses[status] += 1
        self._days[day, "submitted"] += 1
        if status != "pending":
            self._days[day, ACTIONS[status]] += 1

    def _write_articles(self, at: datetime) -> None:
        as_id, as_time = self._bulk.as_id, self._bulk.as_time
        rows = [
            (
                as_id(one),
                self._site,
                key,
                False,
                self._visible[one],
                self._visible[one],
                as_time(at),
            )
            for key, one in self.articles.items()
        ]
        self._bulk.write("article", ARTICLE, rows)

    def _write_counters(self) -> None:
        site, write = self._site, self._bulk.write
        statuses = [(site, status, total) for status, total in self._statuses.items()]
        write("status_tally", "site_id, status, total", statuses)
        days = [(site, day, event, total) for (day, event), total in self._days.items()]
        write("daily_tally", "site_id, day, event, total", days)
        authors = [
            (site, index, counts["approved"], counts["rejected"], counts["spam"])
            for index, counts in self._authors.items()
        ]
        columns = "site_id, author_index, approved, rejected, spam"
        write("author_tally", columns, authors)


def _make_text(source: random.Random) -> tuple[str, str]:
    """Make a text of two paragraphs, and its HTML."""
    words = " ".join(source.choice(WORDS) for _ in range(TEXT_CHARS // 3))[:TEXT_CHARS]
    text = f"{words[: TEXT_CHARS // 2].strip()}.\n\n{words[TEXT_CHARS // 2 :].strip()}."
    return text, render_html(text)


def make_id(source: random.Random, at: datetime) -> UUID:
    """Make the UUIDv7 of a moment (RFC 9562, section 5.7)."""
    milliseconds = int(at.timestamp() * 1000)
    return UUID(
        int=milliseconds << 80 | 7 << 76 | source.getrandbits(12) << 64 | 2 << 62 | source.getrandbits(62)
    )
