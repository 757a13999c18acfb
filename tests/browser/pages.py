"""A site's own web server, on another origin than the service's: `localhost` is none of 127.0.0.1's."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class PageServer:
    """Pages by their paths, each with its headers."""

    origin: str
    pages: dict[str, tuple[bytes, Mapping[str, str]]] = field(default_factory=dict)

    def put(self, path: str, html: str, headers: Mapping[str, str]) -> str:
        """Serve a page; gives its URL."""
        self.pages[path] = (html.encode(), headers)
        return self.origin + path


@contextmanager
def serve_pages() -> Iterator[PageServer]:
    """Serve pages on a port of loopback for as long as the block lasts."""
    pages = PageServer("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, headers = pages.pages.get(self.path.partition("?")[0], (b"Not here.", {}))
            self.send_response(200)
            for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pages.origin = f"http://localhost:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield pages
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
