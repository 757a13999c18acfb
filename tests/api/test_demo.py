"""The demonstration, as a newcomer meets it: three links, from a comment to its publication."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.processes import REPOSITORY, Server, bound_to_us, find_free_port, running


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live", trust_env=False).is_success
    except httpx.TransportError:
        return False


def demo_on(port: int) -> list[str]:
    return ["-m", "service", "demo", "--port", str(port)]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Server]:
    """Run `greenroom demo` in an empty folder."""
    port = find_free_port()
    server = Server(
        # It keeps its data in the folder where it is started.
        ["env", "-C", str(tmp_path), *bound_to_us(), sys.executable, *demo_on(port)],
        url=f"http://127.0.0.1:{port}",
        log_file=tmp_path / "log",
        answers=answers,
        environment={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin"},
    )
    with running(server):
        yield server


def test_from_three_links_to_a_published_comment(demo: Server, tmp_path: Path) -> None:
    article, sign_in, reference = re.findall(r"http://\S+", demo.log_text())
    assert (tmp_path / "data" / "demo" / "greenroom.sqlite3").exists()
    with httpx.Client(base_url=demo.url, follow_redirects=True, trust_env=False) as browser:
        assert browser.get(reference).status_code == 200
        page = browser.get(article).text
        for words in ("Leave a reply", "Your e-mail address will not be published", "required"):
            assert words in page
        reply(browser, page, article)
        assert "A first reply." not in browser.get(article).text
        assert browser.post(sign_in, data={"password": ""}).status_code == 200
        approve(browser)
        shown = browser.get(article).text
    assert "A first reply." in shown
    assert "dave@mail.example" not in shown + demo.log_text()


def reply(reader: httpx.Client, page: str, article: str) -> None:
    """Fill in the form as a browser without scripts does."""
    [action] = re.findall(r'<form[^>]*action="([^"]+)"', page)
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    typed = {"name": "Dave", "email": "dave@mail.example", "text": "A first reply."}
    for name in typed:
        assert f'name="{name}"' in page
    headers = {
        "Accept": "text/html",
        "Origin": str(reader.base_url).rstrip("/"),
        "Referer": article,
    }
    assert reader.post(action, data={**hidden, **typed}, headers=headers).status_code == 200


def approve(moderator: httpx.Client) -> None:
    """Press the first button on the page of pending comments."""
    page = moderator.get("/moderation").text
    form = page[page.index('<form class="buttons"') :]
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    headers = {"Origin": str(moderator.base_url).rstrip("/")}
    done = moderator.post("/moderation", data={**hidden, "action": "approve"}, headers=headers)
    assert "Done." in done.text
