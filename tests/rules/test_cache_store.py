"""The store of the cache: what it finds, for how long, and what is evicted for what."""

import sys
from typing import Any
from uuid import UUID

import pytest

from service.changes import Change
from service.publication.cache.dependencies import Dependencies
from service.publication.cache.store import (
    FRESH_SECONDS,
    MAX_URL_BYTES,
    MAX_URLS,
    MOST,
    SAMPLE,
    Entry,
    FrequencySketch,
    Store,
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
def store(clock: Clock) -> Store:
    return Store(ROOM, clock)


def request(query: str = "article=/post") -> Any:
    return {"path": "/v1/sites/blog/comments", "query_string": query.encode()}


def put(
    store: Store,
    article: str = "/post",
    *,
    revision: int | None = 1,
    size: int = 10,
    query: str | None = None,
) -> Entry:
    """Keep an answer about an article, found by the query that names it."""
    dependencies = Dependencies(SITE, {article: revision})
    entry = Entry(article, b"x" * size, dependencies, store.now())
    store.put(entry)
    store.note_sent(request(query or f"article={article}"), entry)
    return entry


def test_an_answer_is_found_by_the_url_that_asked(store: Store) -> None:
    entry = put(store)
    assert store.find(request()) is entry
    assert store.find(request("article=/other")) is None


def test_an_answer_that_was_not_confirmed_is_not_found_when_two_seconds_are_over(
    store: Store, clock: Clock
) -> None:
    entry = put(store)
    clock.now = FRESH_SECONDS - 0.001
    assert store.find(request()) is entry
    clock.now = FRESH_SECONDS
    assert store.find(request()) is None
    assert FRESH_SECONDS < 2
    entry.validated_at = clock.now
    assert store.find(request()) is entry


def test_what_is_marked_stale_is_revalidated_first(store: Store) -> None:
    put(store)
    put(store, "/unknown", revision=None)
    store.mark_stale()
    assert store.find(request()) is None
    assert store.find(request("article=/unknown")) is None


def test_a_change_drops_every_answer_that_tells_of_the_article_and_no_other(store: Store) -> None:
    put(store)
    both = Entry("both", b"", Dependencies(SITE, {"/post": 1, "/other": 1}), store.now())
    store.put(both)
    store.note_sent(request("both"), both)
    other = put(store, "/other")
    store.invalidate([Change(SITE.id, "/post"), Change(UUID(int=2), "/other")])
    assert store.find(request()) is None
    assert store.find(request("both")) is None
    assert store.find(request("article=/other")) is other


def test_the_least_used_answers_make_room(store: Store) -> None:
    for number in range(5):
        put(store, f"/{number}", size=ROOM // 6)
    for _ in range(3):
        moment(store)
        assert all(store.find(request(f"article=/{name}")) for name in "0234")
    put(store, "/new", size=ROOM // 6)
    found = [name for name in "01234" if store.find(request(f"article=/{name}"))]
    assert found == ["0", "2", "3", "4"]
    assert store.bytes <= ROOM


def test_a_coding_made_later_takes_room_too(store: Store, clock: Clock) -> None:
    entry = put(store, size=1_000)
    before = store.bytes
    entry.body = b"x" * 2_000
    store.note_sent(request(), entry)
    assert store.bytes == before + 1_000


def test_an_answer_larger_than_all_room_is_not_kept(store: Store) -> None:
    put(store, size=ROOM + 1)
    assert store.find(request()) is None
    assert (len(store), store.bytes) == (0, 0)


def moment(store: Store) -> None:
    """Let a moment pass, after which it counts what was asked for."""
    store.count(entry.key for entry in store.take_used())


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("size", [10, 3_000, ROOM // 5])
@pytest.mark.parametrize("revision", [1, None])
def test_what_is_made_up_pushes_out_nothing_that_is_asked_for_often(
    store: Store, times: int, size: int, revision: int | None
) -> None:
    hot = {f"/hot/{number}": put(store, f"/hot/{number}", size=20_000) for number in range(20)}
    for number in range(1_000):
        if number % 50 == 0:
            assert all(store.find(request(f"article={article}")) for article in hot)
            moment(store)
        for _ in range(times):
            put(store, f"/made-up/{number}", size=size, revision=revision)
        assert store.bytes <= ROOM
    found = {article: store.find(request(f"article={article}")) for article in hot}
    assert found == hot


def test_what_comes_to_be_asked_for_often_finds_a_place_among_what_was_made_up(
    store: Store,
) -> None:
    for number in range(1_000):
        put(store, f"/made-up/{number}", size=3_000)
    moment(store)
    late = put(store, "/late", size=3_000)
    for start in range(0, 1_000, 20):
        moment(store)
        assert store.find(request("article=/late")) is late
        for number in range(start, start + 20):
            put(store, f"/more/{number}", size=3_000)
    for number in range(1_000):
        put(store, f"/again/{number}", size=3_000)
    assert store.find(request("article=/late")) is late


def test_what_changes_is_still_known_to_be_asked_for_often(store: Store) -> None:
    for _ in range(10):
        put(store, "/hot", size=3_000)
        moment(store)
        store.invalidate([Change(SITE.id, "/hot")])
    for number in range(1_000):
        put(store, f"/made-up/{number}", size=3_000)
    hot = put(store, "/hot", size=3_000)
    for number in range(1_000):
        put(store, f"/more/{number}", size=3_000)
    assert store.find(request("article=/hot")) is hot


def test_what_grows_by_a_coding_pushes_out_nothing_that_is_asked_for_often(store: Store) -> None:
    hot = put(store, "/hot")
    for _ in range(10):
        moment(store)
        assert store.find(request("article=/hot")) is hot
    others = [put(store, f"/{number}", size=ROOM // 30) for number in range(40)]
    for other in others:
        other.body *= 2
        store.note_sent(request(f"article={other.key}"), other)
        assert store.bytes <= ROOM
    assert store.find(request("article=/hot")) is hot


def test_nothing_is_remembered_of_what_was_asked_for_beyond_a_bound() -> None:
    frequency = FrequencySketch()
    for number in range(SAMPLE - 1):
        frequency.increment(("made up", number))
    frequency.increment("often")
    for _ in range(2 * MOST):
        frequency.increment("often")
    assert frequency.estimate("often") == MOST
    made_up = [frequency.estimate(("made up", number)) for number in range(10_000)]
    assert sum(made_up) / len(made_up) < MOST / 4
    for number in range(3 * SAMPLE):
        frequency.increment(("later", number))
    assert frequency.estimate("often") < MOST / 2
    assert sum(map(sys.getsizeof, vars(frequency)["_rows"])) < 300_000


def test_names_take_room_as_they_take_memory(store: Store) -> None:
    names = {f"/\N{GRINNING FACE}{number}{'x' * 400}": 1 for number in range(100)}
    entry = Entry("counts", b"", Dependencies(SITE, {**names}), store.now())
    store.put(entry)
    assert store.bytes > 100 * 4 * 400


def test_made_up_spellings_of_an_address_are_bounded_and_push_out_no_usual_one(
    store: Store,
) -> None:
    entry = put(store)
    for _ in range(3):
        assert store.find(request()) is entry
    for number in range(10 * MAX_URLS):
        store.note_sent(request(f"article=/post&x={number}"), entry)
        assert store.find(request(f"article=/post&x={number}")) is entry
    assert store.find(request()) is entry
    assert len(entry.urls) == MAX_URLS
    store.note_sent(request("x" * MAX_URL_BYTES), entry)
    assert store.find(request("x" * MAX_URL_BYTES)) is None
    assert len(entry.urls) == MAX_URLS


def test_what_is_dropped_leaves_nothing_behind(store: Store) -> None:
    entries = [put(store, f"/{number}") for number in range(3)]
    store.put(Entry("/0", b"new", Dependencies(SITE, {"/0": 2}), store.now()))
    for entry in entries:
        store.note_sent(request("late"), entry) if entry.key == "/0" else store.remove(entry)
    store.invalidate([Change(SITE.id, "/0")])
    assert (len(store), store.bytes, store.take_used()) == (0, 0, set())
    assert store.find(request("late")) is None
    assert vars(store)["_by_change"] == vars(store)["_by_url"] == {}


def test_to_drop_an_answer_leaves_the_one_that_took_its_place(store: Store) -> None:
    before = put(store)
    after = put(store, revision=2)
    store.remove(before)
    assert store.find(request()) is after
    store.remove(after)
    assert (len(store), store.bytes) == (0, 0)


def test_an_address_that_comes_to_mean_something_else_leads_there(store: Store) -> None:
    before = put(store)
    after = put(store, "//www.blog.example/post", query="article=/post")
    assert store.find(request()) is after
    store.remove(before)
    assert store.find(request()) is after
    store.remove(after)
    assert vars(store)["_by_url"] == {}
    assert store.bytes == 0


def test_what_was_asked_for_is_given_once(store: Store) -> None:
    entry, other = put(store), put(store, "/other")
    assert store.take_used() == {entry, other}
    store.find(request())
    assert store.take_used() == {entry}
    assert store.take_used() == set()


def test_an_answer_that_was_found_true_anew_stays_in_its_place(store: Store) -> None:
    entry = put(store)
    weight = store.bytes
    for _ in range(3):
        store.put(entry)
        store.note_sent(request(), entry)
    assert store.find(request()) is entry
    assert store.bytes == weight
    store.remove(entry)
    assert store.bytes == 0
    assert store.find(request()) is None


def test_an_answer_may_be_put_back_after_it_was_dropped(store: Store) -> None:
    entry = put(store)
    store.remove(entry)
    store.put(entry)
    store.note_sent(request(), entry)
    assert store.find(request()) is entry
    store.remove(entry)
    assert store.find(request()) is None
    assert store.bytes == 0
