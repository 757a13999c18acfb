"""nginx and Varnish, as docs/operations/ configures them, keep what is public and nothing else."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.installation import COMMENTS, Installation, decide, install
from tests.processes import find_free_port
from tests.proxies import start_caching_nginx, start_caching_varnish
from tests.waiting import until

pytestmark = pytest.mark.more

CACHES = {"nginx": start_caching_nginx, "varnish": start_caching_varnish}
PAGE = "/v1/sites/{site}/comments"
ANSWERED = re.compile(r"^greenroom_http_requests_total{(.*)} (\S+)$", re.MULTILINE)
IN_VARNISH = pytest.mark.parametrize("running_stage", ["varnish"], indirect=True)
# So long that nothing goes by itself while a test runs.
LONG = {"GREENROOM_PAGE_MAX_AGE_SECONDS": "3600"}
SHORT = {"GREENROOM_PAGE_MAX_AGE_SECONDS": "1"}


class Stage:
    """A service with a cache in front of it, and those who read, write and decide, under an article."""

    def __init__(self, blog: Installation, cache_url: str, bob: httpx.AsyncClient) -> None:
        self.blog = blog
        self.cache_url = cache_url
        self.bob = bob
        self.reader = httpx.AsyncClient(base_url=cache_url, timeout=60, trust_env=False)
        self.article = {"article": "/post"}
        self._before: dict[str, int] = {}

    async def turn_to(self, article: str) -> None:
        """Turn to an article that nobody has asked for, and count from now on."""
        self.article = {"article": article}
        self._before = await self._count()

    async def read(self, **headers: str) -> httpx.Response:
        """Read the page of the article, from the cache if that has it."""
        answer = await self.reader.get(COMMENTS, params=self.article, headers=headers)
        assert answer.status_code in {200, 304}, answer.text
        return answer

    async def shows(self, text: str) -> bool:
        return text in (await self.read()).text

    async def submit(self, text: str) -> dict[str, Any]:
        """Submit a comment through the cache."""
        fields = {**self.article, "name": "Dave", "email": "dave@mail.example", "text": text}
        answer = await self.reader.post(COMMENTS, json=fields)
        assert answer.status_code == 202, answer.text
        taken: dict[str, Any] = answer.json()
        return taken

    async def publish(self, text: str) -> str:
        """Submit and approve a comment; gives its id."""
        taken = await self.submit(text)
        [result] = await decide(self.bob, "approve", 1, [taken["id"]])
        assert result["outcome"] == "applied"
        comment: str = taken["id"]
        return comment

    async def asked(self, status: int, route: str = PAGE, method: str = "GET") -> int:
        """Count how often the service itself has answered a route with a status."""
        labels = f'method="{method}",route="{route}",status="{status}"'
        return (await self._count()).get(labels, 0) - self._before.get(labels, 0)

    async def _count(self) -> dict[str, int]:
        metrics = (await self.bob.get("/metrics")).text
        return {labels: int(float(count)) for labels, count in ANSWERED.findall(metrics)}


@asynccontextmanager
async def staged(kind: str, folder: Path, environment: dict[str, str]) -> AsyncIterator[Stage]:
    port = find_free_port()
    url = f"http://127.0.0.1:{port}"
    database = f"sqlite:///{folder}/greenroom.sqlite3"
    given = {"GREENROOM_TRUSTED_PROXIES": "127.0.0.1", "GREENROOM_PURGE_URL": url, **environment}
    if kind == "nginx":
        del given["GREENROOM_PURGE_URL"]
    limits = [f"limit.{name}=off" for name in ("ip", "address", "article", "site")]
    async with (
        install(folder, database, environment=given, limits=limits) as blog,
        blog.clients(1, "bob") as [bob],
    ):
        with CACHES[kind](blog.servers[0], port):
            stage = Stage(blog, url, bob)
            async with stage.reader:
                yield stage


@pytest.fixture(scope="module", params=CACHES)
async def running_stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """Give a cache that keeps pages for an hour; Varnish is told of changes."""
    async with staged(request.param, tmp_path_factory.mktemp("long"), LONG) as stage:
        yield stage


@pytest.fixture
async def stage(running_stage: Stage, request: pytest.FixtureRequest) -> Stage:
    await running_stage.turn_to(f"/{request.node.name}")
    return running_stage


@pytest.fixture(params=CACHES)
async def short_stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    """Give a cache that keeps pages for a second, and is not told of changes."""
    async with staged(request.param, tmp_path, {**SHORT, "GREENROOM_PURGE_URL": ""}) as stage:
        yield stage


async def test_the_second_read_comes_from_the_cache(stage: Stage) -> None:
    first = await stage.read()
    spellings = ("gzip, deflate", "deflate, gzip;q=1.0", "gzip")
    again = [await stage.read(**{"accept-encoding": one}) for one in (*spellings, *spellings)]
    assert {answer.headers["x-cache"] for answer in again[3:]} == {"HIT"}
    assert {answer.text for answer in again} == {first.text}
    # One for each coding at most, not one for each spelling.
    assert await stage.asked(200) <= 2


async def test_of_many_readers_one_asks_the_service(stage: Stage) -> None:
    answers = await asyncio.gather(*(stage.read() for _ in range(40)))
    assert len({answer.text for answer in answers}) == 1
    assert await stage.asked(200) == 1


async def test_a_reader_who_has_it_already_gets_304_from_the_cache(stage: Stage) -> None:
    etag = (await stage.read()).headers["etag"]
    again = await stage.read(**{"if-none-match": etag})
    assert again.status_code == 304
    assert await stage.asked(304) == 0


async def test_head_is_answered_from_the_cache_too(stage: Stage) -> None:
    page = await stage.read()
    head = await stage.reader.head(COMMENTS, params=stage.article)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == page.headers["etag"]
    assert await stage.asked(200) + await stage.asked(200, method="HEAD") == 1


async def test_a_page_is_kept_for_as_long_as_s_maxage_says(short_stage: Stage) -> None:
    await short_stage.read()
    await short_stage.publish("A new one.")
    await until(lambda: short_stage.shows("A new one."))


async def test_what_is_out_of_date_is_asked_for_by_its_etag(short_stage: Stage) -> None:
    page = await short_stage.read()

    async def is_revalidated() -> bool:
        assert (await short_stage.read()).text == page.text
        return await short_stage.asked(304) > 0

    await until(is_revalidated)
    assert await short_stage.asked(200) == 1


async def test_nothing_private_is_kept(stage: Stage) -> None:
    taken = await stage.submit("A first one.")
    token = taken["receipt"]["token"]
    authorization = dict(stage.bob.headers)["authorization"]
    for path, route, status in (
        (f"/v1/receipts/{token}", "/v1/receipts/{token}", 200),
        (f"/receipts/{token}", "/receipts/{token}", 200),
        ("/v1/moderation/comments", "/v1/moderation/comments", 200),
        ("/v1/session", "/v1/session", 405),
        ("/sign-in", "/sign-in", 200),
        ("/health/ready", "/health/ready", 200),
    ):
        before = await stage.asked(status, route)
        for _ in range(2):
            answer = await stage.reader.get(path, headers={"authorization": authorization})
            assert answer.status_code == status, path
            assert answer.headers["cache-control"] == "no-store", path
            assert answer.headers.get("x-cache") != "HIT", path
        assert await stage.asked(status, route) == before + 2, path


async def test_a_submission_passes_each_time(stage: Stage) -> None:
    for number in range(3):
        await stage.submit(f"Comment {number}.")
    assert await stage.asked(202, method="POST") == 3


async def test_a_comment_that_was_not_there_yet_shows_once_it_is(stage: Stage) -> None:
    taken = await stage.submit("Not yet.")
    path, route = f"{COMMENTS}/{taken['id']}", PAGE + "/{comment}"
    for _ in range(2):
        assert (await stage.reader.get(path)).status_code == 404
    assert await stage.asked(404, route) == 2
    await decide(stage.bob, "approve", 1, [taken["id"]])
    assert (await stage.reader.get(path)).status_code == 200


@IN_VARNISH
async def test_a_change_is_purged_from_varnish(stage: Stage) -> None:
    await stage.read()
    comment = await stage.publish("A new one.")
    await until(lambda: stage.shows("A new one."))
    await decide(stage.bob, "reject", 2, [comment])
    await until(lambda: is_gone(stage))


async def is_gone(stage: Stage) -> bool:
    return not await stage.shows("A new one.")


@IN_VARNISH
async def test_another_article_stays_in_varnish(stage: Stage) -> None:
    other = {"article": "/other"}
    await stage.reader.get(COMMENTS, params=other)
    await stage.read()
    await stage.publish("A new one.")
    await until(lambda: stage.shows("A new one."))
    assert (await stage.reader.get(COMMENTS, params=other)).headers["x-cache"] == "HIT"


@IN_VARNISH
async def test_only_the_service_may_purge(stage: Stage) -> None:
    direct = await stage.bob.get(COMMENTS, params=stage.article)
    keys = direct.headers["surrogate-key"]
    await stage.read()
    elsewhere = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
    async with httpx.AsyncClient(transport=elsewhere, base_url=stage.cache_url) as stranger:
        refused = await stranger.request("PURGE", "/", headers={"surrogate-key": keys})
    assert refused.status_code == 403
    assert (await stage.read()).headers["x-cache"] == "HIT"
    for bad in ("", "gr-x", f"{keys})|.*(", ".*"):
        answer = await stage.reader.request("PURGE", "/", headers={"surrogate-key": bad})
        assert answer.status_code == 400
    assert (await stage.read()).headers["x-cache"] == "HIT"
    taken = await stage.reader.request("PURGE", "/", headers={"surrogate-key": keys})
    assert taken.status_code == 204
    assert (await stage.read()).headers["x-cache"] == "MISS"


async def test_readers_do_not_see_the_keys(stage: Stage) -> None:
    for _ in range(2):
        headers = (await stage.read()).headers
        assert "surrogate-key" not in headers
        assert "cache-tag" not in headers
