"""The site for the nginx of Debian and Ubuntu: TLS, who a client is, and no secret in any log."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.installation import COMMENTS, Installation, install
from tests.processes import Server
from tests.proxies import start_site_nginx, trust
from tests.streams import streaming

ARTICLE = {"article": "/post"}


class Stage:
    """A service with the site in front of it, and a reader who trusts its certificate."""

    def __init__(self, blog: Installation, nginx: Server, url: str, folder: Path) -> None:
        self.blog = blog
        self.nginx = nginx
        self.folder = folder
        self.reader = httpx.AsyncClient(base_url=url, verify=trust(folder), timeout=60, trust_env=False)

    async def submit(self, text: str, **headers: str) -> httpx.Response:
        fields = {**ARTICLE, "name": "Dave", "email": "dave@mail.example", "text": text}
        return await self.reader.post(COMMENTS, json=fields, headers=headers)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    database = f"sqlite:///{tmp_path}/greenroom.sqlite3"
    given = {"GREENROOM_TRUSTED_PROXIES": "127.0.0.1"}
    async with install(tmp_path, database, environment=given, limits=["limit.ip=2/day"]) as blog:
        with start_site_nginx(blog.servers, tmp_path) as (nginx, url):
            stage = Stage(blog, nginx, url, tmp_path)
            async with stage.reader:
                yield stage


def agree_on_protocol(url: str, folder: Path) -> str | None:
    """Open a connection with TLS and give the protocol that both sides like best."""
    context = trust(folder)
    context.set_alpn_protocols(["h2", "http/1.1"])
    address = urlsplit(url)
    with (
        socket.create_connection((address.hostname, address.port)) as plain,
        context.wrap_socket(plain, server_hostname=address.hostname) as secured,
    ):
        return secured.selected_alpn_protocol()


async def test_the_site_works(stage: Stage) -> None:
    """All in one, since an installation with a proxy takes longer to start than everything in here."""
    url = str(stage.reader.base_url)
    assert await asyncio.to_thread(agree_on_protocol, url, stage.folder) == "h2"
    await expect_tls(stage)
    await expect_client_by_address(stage)
    await expect_own_bounds(stage)
    await expect_stream_as_it_comes(stage)
    await expect_no_secret_in_logs(stage)


async def expect_tls(stage: Stage) -> None:
    """Who comes without TLS is sent to it, with what he posts."""
    async with httpx.AsyncClient(base_url=stage.nginx.url, trust_env=False) as plain:
        answer = await plain.post(f"{COMMENTS}?x=1", json={}, headers={"host": "talk.example"})
    assert answer.status_code == 308
    assert answer.headers["location"] == f"https://talk.example{COMMENTS}?x=1"


async def expect_client_by_address(stage: Stage) -> None:
    """What a client claims to be does not count, and a proxied request is nobody's of this machine."""
    taken = [
        (await stage.submit(f"Comment {one}.", **{"x-forwarded-for": f"192.0.2.{one}"})).status_code
        for one in range(3)
    ]
    assert taken == [202, 202, 429]
    assert (await stage.reader.get("/metrics")).status_code == 404
    assert "parts" not in (await stage.reader.get("/health/ready")).json()


async def expect_own_bounds(stage: Stage) -> None:
    """What the service takes comes through, and its answer to what is too large is the one that is seen."""
    for headers, body, status in (
        ({f"x-{one}": "x" * 15_000 for one in range(4)}, b"", 415),
        ({"content-type": "application/json"}, b"x" * 1_500_000, 413),
    ):
        answer = await stage.reader.post(COMMENTS, content=body, headers=headers)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


async def expect_stream_as_it_comes(stage: Stage) -> None:
    async with streaming(stage.reader, f"{COMMENTS}/stream", **ARTICLE) as reader:
        assert reader.headers["content-type"] == "text/event-stream"


async def expect_no_secret_in_logs(stage: Stage) -> None:
    """Neither while the service answers nor while it does not."""
    secret = "a-receipt-that-nobody-may-see"
    assert (await stage.reader.get(f"/receipts/{secret}")).status_code == 404
    await asyncio.to_thread(stage.blog.servers[0].stop)
    assert (await stage.reader.get(f"/receipts/{secret}")).status_code == 502
    logs = [file.read_text() for file in stage.folder.glob("*.log")]
    assert secret not in "".join(logs)
