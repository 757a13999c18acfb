"""The memory of public answers: what it finds, for how long, and what makes room for what."""

from typing import Any
from uuid import UUID

import pytest

from service.changes import Change
from service.publication.memory import (
    FRESH_SECONDS,
    MAX_URL_BYTES,
    MAX_URLS,
    PASSING_SHARE,
    Basis,
    Entry,
    Memory,
)
from service.sites.directory import KnownSite
from service.sites.policy import SitePolicy

SITE = KnownSite(UUID(int=1), "blog", "Blog", ("https://blog.example",), SitePolicy())
ROOM = 1_000_000


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(clock: Clock) -> Memory:
    return Memory(ROOM, clock)


def request(query: str = "article=/post") -> Any:
    return {"path": "/v1/sites/blog/comments", "query_string": query.encode()}


def put(
    memory: Memory,
    article: str = "/post",
    *,
    revision: int | None = 1,
    size: int = 10,
    query: str | None = None,
    is_passing: bool = False,
) -> Entry:
    """Keep an answer about an article, found by the query that names it."""
    basis = Basis(SITE, {article: revision})
    entry = Entry(article, b"x" * size, basis, memory.now(), is_passing)
    memory.keep(entry)
    memory.settle(request(query or f"article={article}"), entry)
    return entry


def test_an_answer_is_found_by_the_url_that_asked(memory: Memory) -> None:
    entry = put(memory)
    assert memory.find(request()) is entry
    assert memory.find(request("article=/other")) is None


def test_an_answer_that_was_not_confirmed_is_not_found_when_two_seconds_are_over(
    memory: Memory, clock: Clock
) -> None:
    entry = put(memory)
    clock.now = FRESH_SECONDS - 0.001
    assert memory.find(request()) is entry
    clock.now = FRESH_SECONDS
    assert memory.find(request()) is None
    assert FRESH_SECONDS < 2
    entry.checked_at = clock.now
    assert memory.find(request()) is entry


def test_doubt_has_everything_confirmed_first(memory: Memory) -> None:
    put(memory)
    put(memory, "/unknown", revision=None)
    memory.doubt()
    assert memory.find(request()) is None
    assert memory.find(request("article=/unknown")) is None


def test_a_change_drops_every_answer_that_tells_of_the_article_and_no_other(memory: Memory) -> None:
    put(memory)
    both = Entry("both", b"", Basis(SITE, {"/post": 1, "/other": 1}), memory.now())
    memory.keep(both)
    memory.settle(request("both"), both)
    other = put(memory, "/other")
    memory.forget([Change(SITE.id, "/post"), Change(UUID(int=2), "/other")])
    assert memory.find(request()) is None
    assert memory.find(request("both")) is None
    assert memory.find(request("article=/other")) is other


def test_the_least_used_answers_make_room(memory: Memory) -> None:
    for number in range(4):
        put(memory, f"/{number}", size=ROOM // 6)
    memory.find(request("article=/0"))
    put(memory, "/new", size=ROOM // 6)
    found = [name for name in "0123" if memory.find(request(f"article=/{name}"))]
    assert found == ["0", "2", "3"]
    assert memory.bytes <= ROOM


def test_a_coding_made_later_takes_room_too(memory: Memory, clock: Clock) -> None:
    entry = put(memory, size=1_000)
    before = memory.bytes
    entry.body = b"x" * 2_000
    memory.settle(request(), entry)
    assert memory.bytes == before + 1_000


def test_an_answer_larger_than_all_room_is_not_kept(memory: Memory) -> None:
    put(memory, size=ROOM + 1)
    assert memory.find(request()) is None
    assert (len(memory), memory.bytes) == (0, 0)


@pytest.mark.parametrize("kind", [{"revision": None}, {"is_passing": True}])
def test_what_is_made_up_pushes_out_nothing_that_lasts(memory: Memory, kind: Any) -> None:
    lasting = put(memory, size=ROOM // 3)
    for number in range(1_000):
        put(memory, f"/made-up/{number}", size=1_000, **kind)
    assert memory.find(request()) is lasting
    assert memory.find(request("article=/made-up/0")) is None
    assert memory.find(request("article=/made-up/999")) is not None
    assert memory.bytes <= ROOM // 3 + ROOM // PASSING_SHARE + 10_000


def test_names_take_room_as_they_take_memory(memory: Memory) -> None:
    names = {f"/\N{GRINNING FACE}{number}{'x' * 400}": 1 for number in range(100)}
    entry = Entry("counts", b"", Basis(SITE, {**names}), memory.now())
    memory.keep(entry)
    assert memory.bytes > 100 * 4 * 400


def test_made_up_spellings_of_an_address_are_bounded(memory: Memory) -> None:
    entry = put(memory)
    for number in range(MAX_URLS):
        memory.settle(request(f"article=/post&x={number}"), entry)
    assert memory.find(request()) is None
    assert memory.find(request(f"article=/post&x={MAX_URLS - 1}")) is entry
    memory.settle(request("x" * MAX_URL_BYTES), entry)
    assert memory.find(request("x" * MAX_URL_BYTES)) is None
    assert len(entry.urls) == MAX_URLS


def test_what_is_dropped_leaves_nothing_behind(memory: Memory) -> None:
    entries = [put(memory, f"/{number}") for number in range(3)]
    memory.keep(Entry("/0", b"new", Basis(SITE, {"/0": 2}), memory.now()))
    for entry in entries:
        memory.settle(request("late"), entry) if entry.key == "/0" else memory.drop(entry)
    memory.forget([Change(SITE.id, "/0")])
    assert (len(memory), memory.bytes, memory.take_asked()) == (0, 0, set())
    assert memory.find(request("late")) is None
    assert vars(memory)["_by_change"] == vars(memory)["_by_url"] == {}


def test_to_drop_an_answer_leaves_the_one_that_took_its_place(memory: Memory) -> None:
    before = put(memory)
    after = put(memory, revision=2)
    memory.drop(before)
    assert memory.find(request()) is after
    memory.drop(after)
    assert (len(memory), memory.bytes) == (0, 0)


def test_an_address_that_comes_to_mean_something_else_leads_there(memory: Memory) -> None:
    before = put(memory)
    after = put(memory, "//www.blog.example/post", query="article=/post")
    assert memory.find(request()) is after
    memory.drop(before)
    assert memory.find(request()) is after
    memory.drop(after)
    assert vars(memory)["_by_url"] == {}
    assert memory.bytes == 0


def test_what_was_asked_for_is_given_once(memory: Memory) -> None:
    entry, other = put(memory), put(memory, "/other")
    assert memory.take_asked() == {entry, other}
    memory.find(request())
    assert memory.take_asked() == {entry}
    assert memory.take_asked() == set()


def test_an_answer_that_was_found_true_anew_stays_in_its_place(memory: Memory) -> None:
    entry = put(memory)
    weight = memory.bytes
    for _ in range(3):
        memory.keep(entry)
        memory.settle(request(), entry)
    assert memory.find(request()) is entry
    assert memory.bytes == weight
    memory.drop(entry)
    assert memory.bytes == 0
    assert memory.find(request()) is None


def test_an_answer_may_be_put_back_after_it_was_dropped(memory: Memory) -> None:
    entry = put(memory)
    memory.drop(entry)
    memory.keep(entry)
    memory.settle(request(), entry)
    assert memory.find(request()) is entry
    memory.drop(entry)
    assert memory.find(request()) is None
    assert memory.bytes == 0
