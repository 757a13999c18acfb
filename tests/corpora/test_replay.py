"""Real comments go the whole way: sent by many at once, decided by two, and read by the world."""

import asyncio
import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import md5, sha1, sha256
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psycopg
import pytest
from psycopg import sql

from service.text.markup import render_html
from service.text.normalising import has_visible, normalise_line, normalise_text
from tests.corpora.reading import find_corpus
from tests.installation import COMMENTS, SITE, Installation, in_parallel, install, walk_pages

pytestmark = pytest.mark.more

VIDEOS = {
    "/psy": "Youtube01-Psy.csv",
    "/katy-perry": "Youtube02-KatyPerry.csv",
    "/lmfao": "Youtube03-LMFAO.csv",
}
# No row holds this word, so wherever it turns up an address has leaked.
DOMAIN = "letterbox.example"
CLIENTS = 24
CLAIM_SIZE = 20
# Longer than the whole replay, so that no claim ends by itself.
CLAIM = {"site": SITE, "limit": CLAIM_SIZE, "lease_seconds": 900}

Key = tuple[str, str, str]


class Row(NamedTuple):
    """What somebody wrote under a video, with an address that was made up."""

    article: str
    name: str
    email: str
    text: str
    is_spam: bool

    @property
    def key(self) -> Key:
        """What two rows share when one of them is a repeat."""
        return self.article, normalise_line(self.name), normalise_text(self.text)

    @property
    def is_acceptable(self) -> bool:
        return has_visible(self.name) and has_visible(self.text)


class Bell(asyncio.Queue[bool]):
    """Rings for the moderators whenever a claim's worth of comments has come; True is the last."""


async def test_the_public_reads_exactly_the_distinct_ham(
    tmp_path: Path, database_url: str, request: pytest.FixtureRequest
) -> None:
    rows = read_rows()
    is_shared = database_url.startswith("postgresql")
    redis_url = request.getfixturevalue("redis_url") if is_shared else None
    async with install(
        tmp_path,
        database_url,
        redis_url=redis_url,
        processes=2 if is_shared else 1,
        environment={"GREENROOM_ACCESS_LOG": "on"},
    ) as blog:
        answers: list[bytes] = []
        async with blog.clients(CLIENTS, answers=answers) as readers:
            accepted, decided = await submit_and_moderate(blog, readers, rows)
            await expect_pages(readers[0], accepted)
            await expect_one_decision_each(blog, accepted, decided)
            answers += [(await reader.get("/metrics")).content for reader in readers[:2]]
        expect_no_trace(rows, answers, blog.logs().encode(), read_database(database_url, tmp_path))
        assert blog.verify_log().count(": whole") == 3


async def submit_and_moderate(
    blog: Installation, readers: Sequence[httpx.AsyncClient], rows: list[Row]
) -> tuple[dict[str, Row], list[list[str]]]:
    """Give the accepted rows by their ids, and the ids that each moderator decided about."""
    bell = Bell()
    is_spam = {row.key: row.is_spam for row in rows}
    async with (
        blog.clients(1, "alice") as [alice],
        blog.clients(2, "bob") as [_, bob],
        asyncio.TaskGroup() as group,
    ):
        desks = [group.create_task(moderate(who, is_spam, bell)) for who in (alice, bob)]
        accepted = await submit(readers, rows, bell)
        for _ in desks:
            bell.put_nowait(True)
    return accepted, [desk.result() for desk in desks]


async def submit(readers: Sequence[httpx.AsyncClient], rows: list[Row], bell: Bell) -> dict[str, Row]:
    """Send every row, and expect of each exactly the answer that it deserves."""
    statuses: Counter[int] = Counter()
    accepted: dict[str, Row] = {}

    async def send(reader: httpx.AsyncClient, row: Row) -> None:
        fields = {name: getattr(row, name) for name in ("article", "name", "email", "text")}
        answer = await reader.post(COMMENTS, json=fields)
        statuses[answer.status_code] += 1
        if answer.status_code == 202:
            accepted[answer.json()["id"]] = row
            if len(accepted) % CLAIM_SIZE == 0:
                bell.put_nowait(False)

    await in_parallel(readers, rows, send)
    acceptable = [row.key for row in rows if row.is_acceptable]
    distinct = set(acceptable)
    assert +statuses == +Counter(
        {202: len(distinct), 409: len(acceptable) - len(distinct), 422: len(rows) - len(acceptable)}
    )
    assert Counter(row.key for row in accepted.values()) == Counter(distinct)
    return accepted


async def moderate(moderator: httpx.AsyncClient, is_spam: dict[Key, bool], bell: Bell) -> list[str]:
    """Claim and decide by the row's class until the last bell has rung and nothing is left."""
    decided: list[str] = []
    is_last = False
    while True:
        is_last = is_last or await bell.get()
        answer = await moderator.post("/v1/moderation/claims", json=CLAIM)
        assert answer.status_code == 200, answer.text
        claimed = answer.json()["comments"]
        if not claimed and is_last:
            return decided
        if claimed:
            decided += await decide(moderator, claimed, is_spam)


async def decide(
    moderator: httpx.AsyncClient, claimed: list[dict[str, Any]], is_spam: dict[Key, bool]
) -> list[str]:
    decisions = [
        {"comment": one["id"], "version": one["version"], "action": choose_action(one, is_spam)}
        for one in claimed
    ]
    answer = await moderator.post("/v1/moderation/decisions", json={"decisions": decisions})
    assert answer.status_code == 200, answer.text
    assert {result["outcome"] for result in answer.json()["results"]} == {"applied"}
    return [one["id"] for one in claimed]


def choose_action(comment: dict[str, Any], is_spam: dict[Key, bool]) -> str:
    key = comment["article"], comment["name"], comment["text"]
    return "spam" if is_spam[key] else "approve"


async def expect_pages(reader: httpx.AsyncClient, accepted: dict[str, Row]) -> None:
    """Each page holds the article's ham, once each, in the order of ids, and nothing else."""
    for article in VIDEOS:
        ham = {
            comment_id: row
            for comment_id, row in sorted(accepted.items())
            if row.article == article and not row.is_spam
        }
        shown = await walk_pages(reader, COMMENTS, article=article)
        assert [one["id"] for one in shown] == list(ham)
        assert [(one["name"], one["html"]) for one in shown] == [
            (row.key[1], render_html(row.key[2])) for row in ham.values()
        ]
        counts = await reader.get(f"/v1/sites/{SITE}/counts", params={"article": article})
        assert counts.json() == {"counts": {article: len(ham)}}


async def expect_one_decision_each(
    blog: Installation, accepted: dict[str, Row], decided: list[list[str]]
) -> None:
    alices, bobs = decided
    assert alices
    assert bobs
    assert sorted(alices + bobs) == sorted(accepted)
    async with blog.clients(1, "alice") as [alice]:
        log = await walk_pages(alice, "/v1/moderation/log", site=SITE, limit="200")
        queue = (await alice.get("/v1/moderation/comments")).json()
    of_comments = [(line["comment"], line["action"]) for line in log if line["comment"]]
    assert sorted(of_comments) == sorted(
        (comment_id, "spam" if row.is_spam else "approve") for comment_id, row in accepted.items()
    )
    spam = sum(row.is_spam for row in accepted.values())
    assert queue["counts"]["approved"] == len(accepted) - spam
    assert queue["counts"]["spam"] == spam
    assert queue["counts"]["pending"] == 0 == len(queue["comments"])


def expect_no_trace(rows: list[Row], answers: list[bytes], log: bytes, database: Iterable[bytes]) -> None:
    """No address lies anywhere in clear, and no common hash of one is public."""
    for place in (*answers, log, *database):
        assert DOMAIN.encode() not in place.lower()
    hashed = {hash_(row.email.encode()).hexdigest() for row in rows for hash_ in (md5, sha1, sha256)}
    public = set(re.findall(r"[0-9a-f]{32,64}", b"\n".join(answers).decode()))
    assert not hashed & public


def read_database(database_url: str, folder: Path) -> list[bytes]:
    """Give every byte that the database keeps: SQLite's files, or all rows of PostgreSQL."""
    if database_url.startswith("sqlite"):
        files = [path.read_bytes() for path in folder.glob("greenroom.sqlite3*")]
        assert max(map(len, files)) > 100_000
        return files
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return [copy_table(connection, name) for (name,) in tables]


def copy_table(connection: psycopg.Connection[Any], table: str) -> bytes:
    # In the binary format a column of bytes is not spelt in hexadecimal digits.
    statement = sql.SQL("COPY {} TO STDOUT (FORMAT BINARY)").format(sql.Identifier(table))
    with connection.cursor() as cursor, cursor.copy(statement) as copied:
        return b"".join(bytes(block) for block in copied)


def read_rows() -> list[Row]:
    """Read the three files; every third row shares its address with another."""
    found: list[Row] = []
    for article, name in VIDEOS.items():
        path = find_corpus(f"comments/youtube/{name}")
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                email = f"reader-{len(found) * 2 // 3}@{DOMAIN}"
                is_spam = row["CLASS"] == "1"
                found.append(Row(article, row["AUTHOR"], email, row["CONTENT"], is_spam))
    assert len(found) == 1_138
    return found
