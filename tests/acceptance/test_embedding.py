"""The examples of docs/embedding/ for servers: comments are in the page, which is there without them too."""

import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.installation import COMMENTS, Installation, decide, install
from tests.processes import (
    REPOSITORY,
    Server,
    bound_to_us,
    find_free_port,
    running,
)
from tests.proxies import is_open, replace_all, start_private_nginx
from tests.servers import find_program
from tests.waiting import until

pytestmark = pytest.mark.more

EXAMPLES = REPOSITORY / "docs" / "embedding" / "examples"
ARTICLE = "/posts/hello"
TALK = "https://talk.example"
Start = Callable[[Path, Server], AbstractContextManager[Server]]


def read_lines(example: str, *marks: str) -> str:
    """Read the lines that an example says belong into a page."""
    lines = [line.lstrip("# ") for line in (EXAMPLES / example).read_text().splitlines()]
    return "\n".join(next(line for line in lines if line.startswith(mark)) for mark in marks)


@contextmanager
def start_nginx(folder: Path, service: Server) -> Iterator[Server]:
    """Run nginx-ssi.conf over a folder with one page."""
    page = folder / "blog" / "posts" / "hello"
    page.parent.mkdir(parents=True)
    includes = read_lines("nginx-ssi.conf", '<!--# block name="no-comments"', "<!--# include ")
    page.write_text(f"<h1>Hello</h1>\n{includes}\n<p>The end.</p>")
    # Its workers may be of another account.
    for one in (folder, *(page.parents[i] for i in range(2))):
        one.chmod(0o755)
    changes = {f"{TALK}/v1": f"{service.url}/v1", "/srv/blog": str(folder / "blog")}
    with start_private_nginx(str(EXAMPLES / "nginx-ssi.conf"), changes) as nginx:
        yield nginx


@contextmanager
def start_varnish(folder: Path, service: Server) -> Iterator[Server]:
    """Run varnish-esi.vcl in front of a blog that an nginx serves, and of the service."""
    element = read_lines("varnish-esi.vcl", "<greenroom-comments")
    program, port = find_program("varnishd"), find_free_port()
    page = folder / "blog" / "posts" / "hello"
    page.parent.mkdir(parents=True)
    page.write_text(f"<h1>Hello</h1>\n{element}\n<p>The end.</p>")
    changes = {"ssi on;": "", f"{TALK}/v1": f"{service.url}/v1", "/srv/blog": f"{folder}/blog"}
    with start_private_nginx(str(EXAMPLES / "nginx-ssi.conf"), changes) as blog:
        ports = {'"8080"': f'"{blog.url.rpartition(":")[2]}"'}
        ports |= {'"8000"': f'"{service.url.rpartition(":")[2]}"'}
        file = folder / "example.vcl"
        file.write_text(replace_all((EXAMPLES / "varnish-esi.vcl").read_text(), ports))
        options = ["-j", "none", "-a", f"127.0.0.1:{port}", "-f", str(file), "-s", "malloc,16m"]
        server = Server(
            [*bound_to_us(), program, "-F", *options, "-n", f"{folder}/work"],
            url=f"http://127.0.0.1:{port}",
            log_file=folder / "varnish.log",
            answers=is_open,
        )
        with running(server):
            yield server


@contextmanager
def start_python(folder: Path, service: Server) -> Iterator[Server]:
    """Run server.py."""
    port = find_free_port()
    ours = {"TALK_URL": service.url, "PORT": str(port), "NO_PROXY": "127.0.0.1"}
    server = Server(
        [*bound_to_us(), sys.executable, str(EXAMPLES / "server.py")],
        url=f"http://127.0.0.1:{port}",
        log_file=folder / "server.log",
        answers=is_open,
        environment={**os.environ, **ours},
    )
    with running(server):
        yield server


@dataclass
class Stage:
    """A service, a blog that takes the comments of it in, and Bob, who decides."""

    blog: Installation
    bob: httpx.AsyncClient
    reader: httpx.AsyncClient

    async def publish(self, text: str) -> None:
        fields = {"article": ARTICLE, "name": "Dave", "email": "dave@mail.example", "text": text}
        taken = await self.bob.post(COMMENTS, json=fields)
        assert taken.status_code == 202, taken.text
        await decide(self.bob, "approve", 1, [taken.json()["id"]])

    async def read(self) -> str:
        # As a browser asks: nothing compressed may end up in the middle of the page.
        headers = {"Accept-Encoding": "gzip, br", "If-None-Match": '"x"', "Cookie": "a=b"}
        answer = await self.reader.get(ARTICLE, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def shows(self, *texts: str) -> None:
        """Wait until the page has all these texts."""

        async def is_so() -> bool:
            page = await self.read()
            return all(text in page for text in texts)

        await until(is_so)


@asynccontextmanager
async def staged(start: Start, folder: Path) -> AsyncIterator[Stage]:
    database = f"sqlite:///{folder}/greenroom.sqlite3"
    async with install(folder, database) as blog, blog.clients(1, "bob") as [bob]:
        with start(folder, blog.servers[0]) as site:
            reader = httpx.AsyncClient(base_url=site.url, timeout=60, trust_env=False)
            async with reader:
                yield Stage(blog, bob, reader)


STARTS = pytest.mark.parametrize("start", [start_nginx, start_varnish, start_python])


@STARTS
async def test_a_page_has_the_comments_of_its_article(start: Start, tmp_path: Path) -> None:
    async with staged(start, tmp_path) as stage:
        await stage.publish("First!")
        await stage.shows("First!")
        await stage.publish("Second!")
        await stage.shows("First!", "Second!")
        assert f'name="article" value="{ARTICLE}"' in await stage.read()


@STARTS
@pytest.mark.parametrize("end", [Server.stop, Server.freeze])
async def test_a_page_is_there_without_the_service(
    start: Start, end: Callable[[Server], None], tmp_path: Path
) -> None:
    async with staged(start, tmp_path) as stage:
        end(stage.blog.servers[0])
        page = await stage.read()
    # Varnish has nothing to put in the place of an include, so that the widget's element stays empty.
    assert ("view=page" in page) == (start is not start_varnish)
    assert "503" not in page
    assert page.rstrip().endswith(("<p>The end.</p>", "</html>"))


async def test_a_page_keeps_the_comments_that_it_had(tmp_path: Path) -> None:
    async with staged(start_python, tmp_path) as stage:
        await stage.publish("First!")
        await stage.shows("First!")
        stage.blog.servers[0].freeze()
        assert "First!" in await stage.read()
        stage.blog.servers[0].thaw()
        await stage.publish("Second!")
        await stage.shows("Second!")


@pytest.mark.parametrize("start", [start_nginx, start_varnish])
async def test_nobody_reads_through_the_include(start: Start, tmp_path: Path) -> None:
    async with staged(start, tmp_path) as stage:
        answer = await stage.reader.get("/_comments", params={"article": ARTICLE})
        assert answer.status_code in {204, 404}
        assert "greenroom" not in answer.text
