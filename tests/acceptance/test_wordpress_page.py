"""A saved WordPress page behind nothing but the documented rule of nginx: its form works as it stands."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from service.wordpress.form_scan import quote_for_nginx
from service.wordpress.saved_pages import simplify_path
from tests.api.submission.test_form_answers import Inputs
from tests.keyboard import type_command
from tests.processes import Server, find_free_port
from tests.proxies import CONFIGURATIONS, start_private_nginx
from tests.saved_pages import PLAIN, TRAP, make_saved_page
from tests.servers import start_service

PUBLIC_URL = "https://talk.example"
RULE = "../embedding/wordpress-nginx.conf"
# Of a WordPress in a folder, whose address ended with a slash where none belonged.
FOLDER = "/my%20blog//wp-comments-post.php"
PERSON = {"author": "Dave", "email": "dave@mail.example"}


class Blog(msgspec.Struct, frozen=True):
    """A site of saved pages, its web server, and Greenroom behind it."""

    service: Server
    browser: httpx.Client

    def fill(self, page: str, **typed: str) -> httpx.Response:
        """Open a page, fill its comment form and send it as a browser does."""
        shown = self.browser.get(page)
        assert shown.status_code == 200
        return self.send(shown, **typed)

    def send(self, shown: httpx.Response, **typed: str) -> httpx.Response:
        """Send the form of a page that is open."""
        form = Inputs(shown.text)
        # Of the search form above it.
        form.values.pop("s", None)
        url = shown.url.join(form.action)
        headers = {"origin": str(shown.url.join("/")).rstrip("/"), "referer": str(shown.url)}
        return self.browser.post(url, data={**form.values, **typed}, headers=headers)

    def receipt_of(self, answer: httpx.Response) -> str:
        """Follow the redirect to the receipt, and give what its page says."""
        assert answer.status_code == 303, answer.text
        location = answer.headers["location"]
        assert location.startswith(f"{PUBLIC_URL}/receipts/")
        shown = httpx.get(self.service.url + urlsplit(location).path, trust_env=False)
        assert shown.status_code == 200
        return shown.text


def find_rule(path: str) -> str:
    """Give the documented rule for another path, as `scan-form` says that it has to be written."""
    written = (CONFIGURATIONS / RULE).read_text()
    rule = re.search(r"location = /wp-comments-post\.php \{[^}]*\}", written)
    assert rule
    return rule[0].replace("/wp-comments-post.php", quote_for_nginx(simplify_path(path)), 1)


@contextmanager
def serve_blog(folder: Path, *settings: str) -> Iterator[Blog]:
    """Serve pages with a plain form, with a trap, and with other targets."""
    port = find_free_port()
    origin = f"http://127.0.0.1:{port}"
    pages = {
        "plain": make_saved_page(text=PLAIN, origin=origin),
        "trap": make_saved_page(text=TRAP, origin=origin),
        "relative": make_saved_page(text=PLAIN, action="../wp-comments-post.php"),
        "slashes": make_saved_page(text=PLAIN, action=f"{origin}//wp-comments-post.php"),
        "folder": make_saved_page(text=PLAIN, action=f"{origin}{FOLDER}"),
    }
    for name, page in pages.items():
        (folder / "pages" / name).mkdir(parents=True)
        (folder / "pages" / name / "index.html").write_text(page)
    create = ["site", "create", "blog", "--title", "A blog", "--origin", origin]
    fields = "form.text_field=d7dcf95a06,comment"
    for command in (["migrate"], create, ["site", "set", "blog", fields, *settings]):
        assert type_command(folder, {}, *command).exit_code == 0
    environment = {
        "GREENROOM_PUBLIC_URL": PUBLIC_URL,
        "GREENROOM_TRUSTED_PROXIES": "127.0.0.1",
    }
    with ExitStack() as running:
        service = running.enter_context(start_service(folder, environment))
        changes = {
            r"charset utf-8;": find_rule(FOLDER),
            r"/srv/blog": str(folder / "pages"),
            r"127\.0\.0\.1:8000": service.url.removeprefix("http://"),
        }
        nginx = running.enter_context(start_private_nginx(RULE, changes, port))
        browser = httpx.Client(base_url=nginx.url, trust_env=False, headers={"accept-language": "en"})
        yield Blog(service, running.enter_context(browser))


@pytest.fixture(scope="module")
def blog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Blog]:
    """Give the blog on whose pages each test writes something of its own, from one address."""
    limits = (f"limit.{name}=off" for name in ("ip", "address", "article", "site"))
    with serve_blog(tmp_path_factory.mktemp("blog"), *limits) as blog:
        yield blog


@pytest.mark.parametrize("page", ["/plain/", "/relative/", "/slashes/", "/folder/"])
def test_the_form_of_a_saved_page_leads_to_a_receipt(blog: Blog, page: str) -> None:
    answer = blog.fill(page, comment=f"From {page}", **PERSON)
    assert "awaiting moderation" in blog.receipt_of(answer)


def test_a_page_with_a_trap_works_beside_one_without(blog: Blog) -> None:
    honest = blog.fill("/trap/", d7dcf95a06="By a person.", **PERSON)
    assert "awaiting moderation" in blog.receipt_of(honest)
    robot = blog.fill("/trap/", d7dcf95a06="By a robot.", comment="By a robot.", **PERSON)
    assert "not published" in blog.receipt_of(robot)


def test_a_refused_form_can_be_corrected_where_it_was_sent(blog: Blog) -> None:
    refused = blog.fill("/trap/", d7dcf95a06="Kept.", author="Dave", email="dave@gmail,com")
    assert refused.status_code == 422
    assert refused.url.path == "/wp-comments-post.php"
    assert "Did you mean gmail.com?" in refused.text
    assert Inputs(refused.text).values["text"] == "Kept."
    assert f'href="{PUBLIC_URL}/static/greenroom.css"' in refused.text
    corrected = blog.send(refused, email="dave@gmail.com")
    assert "awaiting moderation" in blog.receipt_of(corrected)


def test_an_answer_to_a_comment_of_the_old_site_is_sent_again_by_itself(blog: Blog) -> None:
    refused = blog.fill("/plain/", comment="An answer.", comment_parent="4711", **PERSON)
    assert refused.status_code == 422
    assert "awaiting moderation" in blog.receipt_of(blog.send(refused))


def test_nobody_gets_round_the_limit_by_naming_another_address(tmp_path: Path) -> None:
    statuses = []
    with serve_blog(tmp_path, "limit.ip=1/day") as blog:
        for number in range(2):
            blog.browser.headers["x-forwarded-for"] = f"203.0.113.{number}"
            statuses.append(blog.fill("/plain/", comment=f"Number {number}.", **PERSON).status_code)
    assert statuses == [303, 429]


def test_what_is_too_long_comes_back_as_far_as_it_was_read(blog: Blog) -> None:
    answer = blog.fill("/plain/", comment="Begins here. " + "x" * 1_200_000, **PERSON)
    assert answer.status_code == 413
    assert Inputs(answer.text).values["text"].startswith("Begins here. ")


def test_any_other_method_is_refused_and_says_which_works(blog: Blog) -> None:
    answer = blog.browser.get("/wp-comments-post.php")
    assert (answer.status_code, answer.headers["allow"]) == (405, "OPTIONS, POST")


def test_whoever_opens_the_target_of_the_form_is_led_back(blog: Blog) -> None:
    page = str(blog.browser.get("/plain/").url)
    headers = {"accept": "text/html", "referer": page}
    answer = blog.browser.get("/wp-comments-post.php", headers=headers)
    assert (answer.status_code, answer.headers["allow"]) == (405, "OPTIONS, POST")
    assert f'href="{page}">Back to A blog' in answer.text


def test_the_receipt_leads_back_to_the_page(blog: Blog) -> None:
    refused = blog.fill("/folder/", comment="From a folder.", author="Dave", email="no")
    answer = blog.send(refused, email="dave@mail.example")
    location = urlsplit(answer.headers["location"])
    shown = httpx.get(
        f"{blog.service.url}{location.path}?{location.query}",
        trust_env=False,
        headers={"accept-language": "en"},
    )
    page = blog.browser.get("/folder/").url
    assert f'href="{page}">Back to A blog' in shown.text


def test_a_page_of_another_time_is_sent_as_it_is(blog: Blog) -> None:
    body = b"comment=caf%E9+%80&author=Ren%E9&email=rene%40mail.example&comment_post_ID=17"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = blog.browser.post("/wp-comments-post.php", content=body, headers=headers)
    assert "café €" in blog.receipt_of(answer)
