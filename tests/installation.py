"""The service as it is run in earnest: real processes over one database, in which the cast acts."""

import asyncio
import atexit
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

import httpx
from sqlalchemy import make_url

from service.command_line import commands
from service.settings import Settings, load_settings
from tests.cast import Furnished, furnish
from tests.processes import Server
from tests.servers import find_memory_folder, run_greenroom, start_service

J = TypeVar("J")

SITE = "blog"
COMMENTS = f"/v1/sites/{SITE}/comments"
DATABASE_FILE = "greenroom.sqlite3"


@dataclass(frozen=True)
class Installation:
    """Running processes that share a database, and the bearer tokens of the cast."""

    folder: Path
    environment: Mapping[str, str]
    servers: list[Server]
    tokens: Mapping[str, str]

    @asynccontextmanager
    async def clients(
        self,
        count: int,
        moderator: str | None = None,
        *,
        ip: str = "127.0.0.1",
        answers: list[bytes] | None = None,
    ) -> AsyncIterator[list[httpx.AsyncClient]]:
        """Give clients that may send at the same time, to all processes in turn.

        `ip` is where they call from, of the loopback network. What they are answered is added to `answers`.
        """

        async def keep(answer: httpx.Response) -> None:
            if answers is not None:
                answers.append(str(answer.headers).encode() + await answer.aread())

        token = self.tokens[moderator] if moderator else ""
        async with AsyncExitStack() as stack:
            yield [
                await stack.enter_async_context(
                    httpx.AsyncClient(
                        base_url=server.url,
                        headers={"Authorization": f"Bearer {token}"} if token else {},
                        # One that many share would spend more time on its connections than on requests.
                        transport=_plain_transport(ip),
                        # A busy machine is slow, and what does not end at all shows here too.
                        timeout=60,
                        event_hooks={"response": [keep]},
                    )
                )
                for server, _ in zip(cycle(self.servers), range(count), strict=False)
            ]

    def verify_log(self) -> str:
        """Run `greenroom log verify`, which must find nothing, and give what it printed."""
        verified = run_greenroom(self.folder, self.environment, "log", "verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr
        return verified.stdout

    def logs(self) -> str:
        """Give all that the processes wrote to their streams."""
        return "".join(server.log_text() for server in self.servers)


def _plain_transport(ip: str) -> httpx.AsyncHTTPTransport:
    return httpx.AsyncHTTPTransport(
        local_address=ip,
        # There is no TLS here, and reading the certificates would take longer than a request.
        verify=False,
        trust_env=False,
    )


async def in_parallel(
    clients: Iterable[httpx.AsyncClient],
    jobs: Iterable[J],
    work: Callable[[httpx.AsyncClient, J], Awaitable[object]],
) -> None:
    """Let every client do one job after the other until none is left."""
    waiting = iter(jobs)

    async def take(client: httpx.AsyncClient) -> None:
        for job in waiting:
            await work(client, job)

    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(take(client))


async def walk_pages(client: httpx.AsyncClient, path: str, **query: str) -> list[dict[str, Any]]:
    """Read every page of a list, from cursor to cursor."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await client.get(path, params={**query, **cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page.get("comments") or page.get("entries") or []
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


async def submit_comments(blog: Installation, numbers: Iterable[int]) -> list[str]:
    """Send numbered comments under ten articles from many clients; gives their ids in order."""
    taken: list[str] = []

    async def send(client: httpx.AsyncClient, number: int) -> None:
        fields = {"article": f"/post-{number % 10}", "text": f"Comment {number}."}
        author = {"name": "Dave", "email": f"dave-{number % 7}@mail.example"}
        answer = await client.post(COMMENTS, json={**fields, **author})
        assert answer.status_code == 202, answer.text
        taken.append(answer.json()["id"])

    async with blog.clients(16) as clients:
        await in_parallel(clients, numbers, send)
    return sorted(taken)


async def decide(
    moderator: httpx.AsyncClient, action: str, version: int, comments: Iterable[str]
) -> list[dict[str, Any]]:
    """Send decisions about comments that are at one version in one request; gives the results."""
    decisions = [{"comment": one, "version": version, "action": action} for one in comments]
    answer = await moderator.post("/v1/moderation/decisions", json={"decisions": decisions})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


_template: list[Furnished] = []


async def _furnish(settings: Settings) -> Furnished:
    """Bring the cast in; on SQLite this is done once and copied, since it takes as long as a start."""
    if not settings.is_sqlite:
        return await furnish(settings)
    if not _template:
        folder = mkdtemp(prefix="greenroom-", dir=find_memory_folder())
        atexit.register(shutil.rmtree, folder)
        empty = load_settings({"GREENROOM_DATA_DIR": f"{folder}/data"})
        _template.append(await furnish(empty))
    [template] = _template
    shutil.copytree(template.settings.data_dir, settings.data_dir, dirs_exist_ok=True)
    place = make_url(settings.database_url).database
    for file in settings.data_dir.glob(f"{DATABASE_FILE}*"):
        file.rename(f"{place}{file.name.removeprefix(DATABASE_FILE)}")
    return Furnished(settings, template.tokens)


@asynccontextmanager
async def install(
    folder: Path,
    database_url: str,
    *,
    redis_url: str | None = None,
    processes: int = 1,
    limits: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
) -> AsyncIterator[Installation]:
    """Bring the cast into an empty database and run the processes that serve it, with options of `serve`.

    `blog` has no limits but those given, such as `limit.ip=10/day`.
    """
    given = {"GREENROOM_DATABASE_URL": database_url, **(environment or {})}
    if redis_url:
        given["GREENROOM_REDIS_URL"] = redis_url
    settings = load_settings({"GREENROOM_DATA_DIR": str(folder / "data"), **given})
    furnished = await _furnish(settings)
    async with commands.working(settings) as services:
        await commands.set_site(services, SITE, list(limits))
    with ExitStack() as stack:
        servers = [stack.enter_context(start_service(folder, given, *options)) for _ in range(processes)]
        yield Installation(folder, given, servers, furnished.tokens)
