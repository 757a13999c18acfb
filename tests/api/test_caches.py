"""What a process remembers beside public answers, and why nobody can fill its memory with it."""

import gc
import sys
from functools import lru_cache
from typing import Any, Protocol
from uuid import uuid4

import pytest

from service.concurrency.brief_memory import MAX_REMEMBERED
from service.http import stored
from service.http.routing import MAX_NAME_CHARS, MAX_PATH_CHARS, shorten
from service.server.reading import MAX_HEADERS_BYTES, MAX_REQUEST_LINE_BYTES
from service.sites.articles import MAX_KEY_CHARS
from service.sites.directory import MAX_ORIGIN_CHARS
from service.wordpress.names import MAX_TEXT_FIELDS_CHARS, parse_text_fields
from tests.cast import House

MIB = 1 << 20
LONG = "y" * (MAX_REQUEST_LINE_BYTES - 200)
ROUTING = "litestar._asgi.asgi_router.ASGIRouter._handle_routing"
PACKAGES = {"service", "litestar", "urllib", "multipart", "idna", "email_validator", "uvicorn"}
# Where the keys come from.
OURS = "only what the code itself asks by"
NEVER = "not used: the test below sends what would fill it"
CACHES = {
    ROUTING: "paths, MAX_PATH_CHARS each",
    "litestar._asgi.routing_trie.traversal.parse_path_params": "paths, MAX_PATH_CHARS each",
    "litestar._kwargs.extractors.create_query_default_dict": NEVER,
    "litestar._parsers.parse_cookie_string": NEVER,
    "litestar._parsers.parse_query_string": NEVER,
    "litestar._parsers.parse_url_encoded_form_data": NEVER,
    "litestar.datastructures.url.URL._new": NEVER,
    "litestar.datastructures.url.URL.from_components": NEVER,
    "litestar.handlers.http_handlers._utils.normalize_headers": OURS,
    "service.app._share_framework": OURS,
    "service.database.statements._count_up_rows": OURS,
    "service.http.stored.choose_coding": "Accept-Encoding up to MAX_REMEMBERED_BYTES",
    "service.http.tidy._members": OURS,
    "service.text.languages.read_words": OURS,
    "service.telemetry.logs._outlet": OURS,
    "service.publication.feed._feed_query": OURS,
    "service.publication.queries._changes_query": OURS,
    "service.publication.queries._page_query": OURS,
    "service.rate_limiting.rules.parse_limit": "limits as they are written, 14 characters each",
    "service.sites.articles.parse_hosts": "settings of sites, MAX_HOSTS_CHARS each",
    "service.wordpress.names.parse_text_fields": "settings of sites, MAX_TEXT_FIELDS_CHARS each",
    "service.telemetry.sharing.join_workers": OURS,
    "service.web.files.load_file": OURS,
    "urllib.parse._byte_quoter_factory": OURS,
    "urllib.parse.urlsplit": "at most 128 headers or values of forms, 64 KiB each",
}


class Cached(Protocol):
    """What `lru_cache` makes."""

    __module__: str
    __qualname__: str

    def cache_info(self) -> Any: ...


def list_caches() -> dict[str, Cached]:
    kind = type(lru_cache(len))
    # What was set aside from the collector is listed only when it is taken back.
    gc.unfreeze()
    found = [one for one in gc.get_objects() if isinstance(one, kind)]
    gc.freeze()
    named = {name_of(one): one for one in found}
    return {name: one for name, one in named.items() if name.partition(".")[0] in PACKAGES}


def name_of(cache: Any) -> str:
    function = getattr(cache, "__wrapped__", cache)
    return f"{function.__module__}.{getattr(function, '__qualname__', '')}"


sqlite = pytest.mark.parametrize("furnished", ["sqlite"], indirect=True)


@sqlite
async def test_no_request_leaves_what_is_long_in_a_cache_of_the_framework(house: House) -> None:
    """A request line has 16 KiB, and its headers 64: a thousand of those would be 80 MiB."""
    remembered = {name: one for name, one in list_caches().items() if CACHES[name] == NEVER}
    document = (await house.dave.get("/schema/openapi.json")).json()
    paths = [
        (method, path.replace("{site}", "blog").replace("{", "").replace("}", ""))
        for path, operations in document["paths"].items()
        for method in operations
        if not path.endswith("/stream")
    ]
    before = {name: one.cache_info().currsize for name, one in remembered.items()}
    for method, path in [*paths, ("get", "/moderation"), ("get", "/receipts/x"), ("get", "/demo")]:
        cookie = {"cookie": "x=" + "z" * (MAX_HEADERS_BYTES - 200)}
        await house.dave.request(method, f"{path}?x={LONG}", headers=cookie)
        after = {name: one.cache_info().currsize for name, one in remembered.items()}
        assert after == before, (method, path)


@sqlite
async def test_names_that_are_too_long_are_remembered_as_one(house: House) -> None:
    remembered = list_caches()[ROUTING]
    before = remembered.cache_info().currsize
    for number in range(5):
        for place in ("v1/receipts", "v1/sites/blog/comments", "problems", "static"):
            assert (await house.dave.get(f"/{place}/{LONG}{number}")).status_code == 404
    assert remembered.cache_info().currsize <= before + 4


def test_what_is_remembered_of_a_path_is_bounded() -> None:
    for path in ("/v1/sites/" + "x" * 16_000, "/" * 16_000 + "x", "//".join("abcdefg") * 2_000):
        short = shorten(path)
        assert all(len(name) <= MAX_NAME_CHARS for name in short.split("/"))
        assert "//" not in short


@sqlite
async def test_each_cache_is_known_with_what_bounds_it(house: House) -> None:
    assert await house.dave.get("/health/live")
    assert sorted(list_caches()) == sorted(CACHES)


@pytest.mark.parametrize(
    ("entries", "longest"),
    [
        (1_024, "\N{GRINNING FACE}" * MAX_PATH_CHARS),
        (256, "x" * stored.MAX_REMEMBERED_BYTES),
        (MAX_REMEMBERED, "\N{GRINNING FACE}" * MAX_KEY_CHARS),
        (MAX_REMEMBERED, "x" * MAX_ORIGIN_CHARS),
        (128, "x" * MAX_HEADERS_BYTES),
    ],
)
def test_all_that_is_remembered_by_names_is_bounded(entries: int, longest: str) -> None:
    # What is remembered of a name is a few small objects.
    key = sys.getsizeof((uuid4(), longest)) + sys.getsizeof(longest)
    assert entries * (key + 1_000) < 40 * MIB


def test_the_longest_settings_that_are_remembered_are_bounded() -> None:
    longest = ",".join(f"{number:02x}" for number in range(MAX_TEXT_FIELDS_CHARS // 3 - 1))
    names = parse_text_fields(longest[:MAX_TEXT_FIELDS_CHARS].rpartition(",")[0])
    taken = sys.getsizeof(longest) + sys.getsizeof(names) + sum(map(sys.getsizeof, names))
    assert taken < MIB
    assert parse_text_fields.cache_info().maxsize == 32
