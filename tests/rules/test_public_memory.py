"""The memory of public answers: what it finds, for how long, and what makes room for what."""

import sys
from typing import Any
from uuid import UUID

import pytest

from service.changes import Change
from service.publication.memory import (
    FRESH_SECONDS,
    MAX_URL_BYTES,
    MAX_URLS,
    Basis,
    Entry,
    Memory,
)
from service.publication.popularity import MOST, SAMPLE, Popularity
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
) -> Entry:
    """Keep an answer about an article, found by the query that names it."""
    basis = Basis(SITE, {article: revision})
    entry = Entry(article, b"x" * size, basis, memory.now())
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
    for number in range(5):
        put(memory, f"/{number}", size=ROOM // 6)
    for _ in range(3):
        moment(memory)
        assert all(memory.find(request(f"article=/{name}")) for name in "0234")
    put(memory, "/new", size=ROOM // 6)
    found = [name for name in "01234" if memory.find(request(f"article=/{name}"))]
    assert found == ["0", "2", "3", "4"]
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


def moment(memory: Memory) -> None:
    """Let a moment pass, after which it counts what was asked for."""
    memory.note(entry.key for entry in memory.take_asked())


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("size", [10, 3_000, ROOM // 5])
@pytest.mark.parametrize("revision", [1, None])
def test_what_is_made_up_pushes_out_nothing_that_is_asked_for_often(
    memory: Memory, times: int, size: int, revision: int | None
) -> None:
    hot = {f"/hot/{number}": put(memory, f"/hot/{number}", size=20_000) for number in range(20)}
    for number in range(1_000):
        if number % 50 == 0:
            assert all(memory.find(request(f"article={article}")) for article in hot)
            moment(memory)
        for _ in range(times):
            put(memory, f"/made-up/{number}", size=size, revision=revision)
        assert memory.bytes <= ROOM
    found = {article: memory.find(request(f"article={article}")) for article in hot}
    assert found == hot


def test_what_comes_to_be_asked_for_often_finds_a_place_among_what_was_made_up(
    memory: Memory,
) -> None:
    for number in range(1_000):
        put(memory, f"/made-up/{number}", size=3_000)
    moment(memory)
    late = put(memory, "/late", size=3_000)
    for start in range(0, 1_000, 20):
        moment(memory)
        assert memory.find(request("article=/late")) is late
        for number in range(start, start + 20):
            put(memory, f"/more/{number}", size=3_000)
    for number in range(1_000):
        put(memory, f"/again/{number}", size=3_000)
    assert memory.find(request("article=/late")) is late


def test_what_changes_is_still_known_to_be_asked_for_often(memory: Memory) -> None:
    for _ in range(10):
        put(memory, "/hot", size=3_000)
        moment(memory)
        memory.forget([Change(SITE.id, "/hot")])
    for number in range(1_000):
        put(memory, f"/made-up/{number}", size=3_000)
    hot = put(memory, "/hot", size=3_000)
    for number in range(1_000):
        put(memory, f"/more/{number}", size=3_000)
    assert memory.find(request("article=/hot")) is hot


def test_what_grows_by_a_coding_pushes_out_nothing_that_is_asked_for_often(memory: Memory) -> None:
    hot = put(memory, "/hot")
    for _ in range(10):
        moment(memory)
        assert memory.find(request("article=/hot")) is hot
    others = [put(memory, f"/{number}", size=ROOM // 30) for number in range(40)]
    for other in others:
        other.body *= 2
        memory.settle(request(f"article={other.key}"), other)
        assert memory.bytes <= ROOM
    assert memory.find(request("article=/hot")) is hot


def test_nothing_is_remembered_of_what_was_asked_for_beyond_a_bound() -> None:
    popularity = Popularity()
    for number in range(SAMPLE - 1):
        popularity.note(("made up", number))
    popularity.note("often")
    for _ in range(2 * MOST):
        popularity.note("often")
    assert popularity.of("often") == MOST
    made_up = [popularity.of(("made up", number)) for number in range(10_000)]
    assert sum(made_up) / len(made_up) < MOST / 4
    for number in range(3 * SAMPLE):
        popularity.note(("later", number))
    assert popularity.of("often") < MOST / 2
    assert sum(map(sys.getsizeof, vars(popularity)["_rows"])) < 300_000


def test_names_take_room_as_they_take_memory(memory: Memory) -> None:
    names = {f"/\N{GRINNING FACE}{number}{'x' * 400}": 1 for number in range(100)}
    entry = Entry("counts", b"", Basis(SITE, {**names}), memory.now())
    memory.keep(entry)
    assert memory.bytes > 100 * 4 * 400


def test_made_up_spellings_of_an_address_are_bounded_and_push_out_no_usual_one(
    memory: Memory,
) -> None:
    entry = put(memory)
    for _ in range(3):
        assert memory.find(request()) is entry
    for number in range(10 * MAX_URLS):
        memory.settle(request(f"article=/post&x={number}"), entry)
        assert memory.find(request(f"article=/post&x={number}")) is entry
    assert memory.find(request()) is entry
    assert len(entry.urls) == MAX_URLS
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
