"""A blog that renders its pages itself and puts the comments into them. Python 3.11 or newer, nothing else.

TALK_URL=https://talk.example PORT=8080 python server.py
"""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

TALK_URL = os.environ.get("TALK_URL", "https://talk.example")
SITE = "blog"
# How long a reader waits for new comments at most; then the page has the comments that were there before.
WAIT_SECONDS = 0.5
# How long the service may take to answer at all.
TIMEOUT_SECONDS = 5
ARTICLES = {"/posts/hello": "What the article says.", "/posts/again": "What another one says."}


@dataclass(frozen=True)
class Copy:
    """The comments of an article as they were last seen."""

    html: str
    etag: str | None = None


class Comments:
    """The newest comments at hand; each article is asked for once at a time, for all readers together."""

    def __init__(self) -> None:
        self._copies: dict[str, Copy] = {}
        self._under_way: dict[str, Future[None]] = {}
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(max_workers=4)

    def show(self, article: str) -> str:
        """Give the HTML to put into the page, whatever state the service is in."""
        with self._lock:
            refresh = self._under_way.get(article)
            if refresh is None or refresh.done():
                refresh = self._under_way[article] = self._pool.submit(self._refresh, article)
        # HTTPError and URLError are OSErrors too.
        with suppress(TooSlow, OSError, HTTPException):
            refresh.result(WAIT_SECONDS)
        known = self._copies.get(article)
        link = f'<a href="{escape(url_of(article, view="page"))}">Comments</a>'
        return known.html if known else link

    def _refresh(self, article: str) -> None:
        known = self._copies.get(article)
        headers = {"If-None-Match": known.etag} if known and known.etag else {}
        request = Request(url_of(article), headers=headers)  # noqa: S310 - an address of our own.
        try:
            with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - the same.
                self._copies[article] = Copy(answer.read().decode(), answer.headers["ETag"])
        except HTTPError as error:
            # 304: the copy is still good.
            error.close()
            if error.code != 304:
                raise


def url_of(article: str, **more: str) -> str:
    return f"{TALK_URL}/v1/sites/{SITE}/comments.html?{urlencode({'article': article, **more})}"


def render(article: str, comments: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{escape(article)}</title>
<link rel="stylesheet" href="{TALK_URL}/static/comments.css">
<script type="module" src="{TALK_URL}/embed.js"></script>
</head>
<body>
<p>{escape(ARTICLES[article])}</p>
<greenroom-comments site="blog" article="{escape(article)}">
{comments}
</greenroom-comments>
</body>
</html>
"""


class Handler(BaseHTTPRequestHandler):
    comments = Comments()

    def do_GET(self) -> None:
        # Known articles only: else anybody could fill the memory with copies.
        article = self.path.partition("?")[0]
        found = article in ARTICLES
        body = render(article, self.comments.show(article)).encode() if found else b"Not here."
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    address = ("127.0.0.1", int(os.environ.get("PORT", "8080")))
    ThreadingHTTPServer(address, Handler).serve_forever()
