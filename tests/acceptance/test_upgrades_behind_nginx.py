"""Behind a proxy that passes wishes to upgrade on and keeps connections, nobody gets another's answer."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.installation import COMMENTS, install
from tests.proxies import start_upgrading_nginx

TRIES = 20
# So long that the proxy sends it apart from the headers, which ended the request once.
BODY = b"\r\n" * 40_000 + b"GET /smuggled HTTP/1.1\r\nHost: a\r\nX-Swallows: "
HEAD = b"""POST %b HTTP/1.1
Host: a
Content-Type: application/json
Connection: Upgrade
Upgrade: foo
Content-Length: %d

""" % (COMMENTS.encode(), len(BODY))


async def test_what_stands_in_a_body_is_no_request(tmp_path: Path) -> None:
    async with install(tmp_path, f"sqlite:///{tmp_path}/greenroom.sqlite3") as blog:
        with start_upgrading_nginx(blog.servers[0]) as nginx:
            await expect_own_answers(nginx.url)


async def expect_own_answers(url: str) -> None:
    place = urlsplit(url)
    for _ in range(TRIES):
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.write(HEAD.replace(b"\n", b"\r\n") + BODY)
        assert (await reader.readline()).startswith(b"HTTP/1.1 400")
        async with httpx.AsyncClient(base_url=url, trust_env=False) as victim:
            answer = await victim.get(COMMENTS, params={"article": "/post"})
        assert (answer.status_code, answer.json()["article"]) == (200, "/post")
        writer.close()
