"""An answer from memory goes past the server's own `send`: over a real connection nobody can tell."""

import http.client
import socket
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.installation import COMMENTS, Installation, decide, install, submit_comments

pytestmark = pytest.mark.more

PAGE = f"{COMMENTS}?article=/post-0"
Answer = tuple[int, dict[str, str], bytes]


def connect(url: str) -> closing[http.client.HTTPConnection]:
    place = urlsplit(url)
    return closing(http.client.HTTPConnection(str(place.hostname), place.port, timeout=20))


def ask(
    connection: http.client.HTTPConnection, method: str = "GET", headers: Mapping[str, str] = {}
) -> Answer:
    connection.request(method, PAGE, headers=dict(headers))
    answer = connection.getresponse()
    found = {name.lower(): value for name, value in answer.getheaders()}
    return answer.status, found, answer.read()


async def fill(blog: Installation) -> None:
    comments = await submit_comments(blog, [0])
    async with blog.clients(1, "bob") as [bob]:
        await decide(bob, "approve", 1, comments)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'greenroom.sqlite3'}"


@pytest.mark.parametrize("coding", ["identity", "gzip", "br"])
async def test_it_is_the_same_answer_as_the_servers_own(
    tmp_path: Path, database_url: str, coding: str
) -> None:
    async with install(tmp_path, database_url) as blog:
        await fill(blog)
        url, sent = blog.servers[0].url, {"Accept-Encoding": coding, "X-Request-Id": "one.for-all"}
        with connect(url) as kept:
            tag = ask(kept, headers=sent)[1]["etag"]
            for more in ({}, {"If-None-Match": tag}):
                for method in ("GET", "HEAD"):
                    short = ask(kept, method, {**sent, **more})
                    # A connection that ends with its answer goes the server's own way.
                    with connect(url) as ending:
                        own = ask(ending, method, {**sent, **more, "Connection": "close"})
                    assert own[1].pop("connection") == "close"
                    assert own[1].pop("date")
                    assert short[1].pop("date")
                    assert short == own
                    assert short[1]["x-request-id"] == "one.for-all"
                    assert short[0] == (304 if more else 200)


async def test_requests_that_are_sent_without_waiting_are_answered_in_order(
    tmp_path: Path, database_url: str
) -> None:
    async with install(tmp_path, database_url) as blog:
        await fill(blog)
        with connect(blog.servers[0].url) as connection:
            status, headers, body = ask(connection)
        assert status == 200
        place = urlsplit(blog.servers[0].url)
        lines = [
            ("GET", PAGE, ""),
            ("HEAD", PAGE, ""),
            ("GET", "/health/live", ""),
            ("GET", PAGE, f"If-None-Match: {headers['etag']}\r\n"),
            ("GET", PAGE, "Connection: close\r\n"),
        ]
        requests = "".join(f"{verb} {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n" for verb, path, more in lines)
        with socket.create_connection((str(place.hostname), place.port), timeout=20) as plain:
            plain.sendall(requests.encode())
            answers = b"".join(iter(lambda: plain.recv(65_536), b""))
        starts = [part.split(b" ", 1)[0] for part in answers.split(b"HTTP/1.1 ")[1:]]
        assert starts == [b"200", b"200", b"200", b"304", b"200"]
        assert answers.count(body) == 2
        assert answers.endswith(body)
