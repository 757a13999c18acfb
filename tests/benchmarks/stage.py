"""The service as it is measured: a blog full of comments, served by one process on a core of its own."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec

from service.command_line import commands
from service.settings import Settings, load_settings
from tests.benchmarks.harness import Client
from tests.benchmarks.machine import SERVER_CORE, on_core
from tests.benchmarks.seeding import Crowd, seed_site
from tests.cast import furnish
from tests.installation import COMMENTS, SITE
from tests.processes import Server, ServerMissing
from tests.servers import (
    fresh_database,
    start_private_postgres,
    start_private_redis,
    start_service,
)

# Every limit counts each submission, and none of them is ever reached.
RAISED = [f"limit.{name}=1000000/minute" for name in ("ip", "address", "article", "site")]
# Some limits have no setting, but those who come from different addresses do not share them.
BEHIND_A_PROXY = {"GREENROOM_TRUSTED_PROXIES": "127.0.0.1/32"}


class Stage(msgspec.Struct, frozen=True):
    """A running service, what of the machine is counted as its own, and the bearer token of Bob."""

    server: Server
    settings: Settings
    environment: Mapping[str, str]
    token: str
    servers_below: list[Server] = []

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def roots(self) -> list[int]:
        return [self.server.pid, *(server.pid for server in self.servers_below)]

    def connect(self) -> Client:
        return Client(self.url, self.roots)

    def page(self, article: str, **query: str | int) -> str:
        """Give the URL of a page of comments."""
        return self.url + page_path(article, **query)


def page_path(article: str, **query: str | int) -> str:
    """Give the path of a page of comments."""
    more = "".join(f"&{name}={quote(str(value), safe='')}" for name, value in query.items())
    return f"{COMMENTS}?article={quote(article, safe='')}{more}"


def make_submission(article: str, number: str = "@SEQ@", user: str = "@USER@") -> bytes:
    """Give a submission of an ordinary size; without a number and a user, as the template of many."""
    fields = {
        "article": article,
        "name": f"Reader {user}",
        "email": f"reader{user}@mail.example",
        "url": f"https://site{user}.example.org/",
        "text": f"{number} " + "A reader has something to say about this article. " * 6,
    }
    return json.dumps(fields).encode()


@contextmanager
def open_stage(
    folder: Path,
    crowd: Crowd,
    environment: Mapping[str, str] | None = None,
    servers_below: list[Server] | None = None,
) -> Iterator[Stage]:
    """Fill a database and serve it; on SQLite in `folder` unless the environment names another."""
    given = {**BEHIND_A_PROXY, **(environment or {})}
    settings = load_settings({"GREENROOM_DATA_DIR": str(folder / "data"), **given})
    token = asyncio.run(_furnish(settings, crowd))
    with on_core(SERVER_CORE), start_service(folder, given) as server:
        yield Stage(server, settings, given, token, servers_below or [])


async def _furnish(settings: Settings, crowd: Crowd) -> str:
    furnished = await furnish(settings)
    async with commands.working(settings) as services:
        await commands.set_site(services, SITE, RAISED)
    await seed_site(settings, SITE, crowd)
    return furnished.tokens["bob"]


@contextmanager
def open_big_stage(folder: Path, crowd: Crowd) -> Iterator[Stage]:
    """The same on a PostgreSQL and a Redis of one's own, on the service's core. Raises ServerMissing."""
    with ExitStack() as stack:
        with on_core(SERVER_CORE):
            postgres = stack.enter_context(start_private_postgres(is_durable=True))
            redis = stack.enter_context(start_private_redis())
        database = stack.enter_context(fresh_database(postgres.url))
        environment = {"GREENROOM_DATABASE_URL": database, "GREENROOM_REDIS_URL": redis.url}
        yield stack.enter_context(open_stage(folder, crowd, environment, [postgres, redis]))


def explain_missing(error: ServerMissing) -> str:
    """Say that a part was left out."""
    return f"PostgreSQL and Redis were left out: {error}"
