"""The script of the widget and the static files of our pages, stored as bytes in each coding."""

from functools import cache
from hashlib import sha256
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path

import msgspec
import rcssmin
import rjsmin
from litestar import get
from litestar.params import FromPath
from litestar.types import ASGIApp

from service.errors import NotFound
from service.form.fields import SHOWN
from service.http.docs import Readers
from service.http.routing import Router
from service.http.stored import StoredResponse, encode_headers
from service.text.languages import LANGUAGES, read_words

HOUR = {"cache-control": "public, max-age=3600", "vary": "Accept-Encoding"}
SCRIPT = "text/javascript"
KINDS = {
    "css": "text/css; charset=utf-8",
    "js": f"{SCRIPT}; charset=utf-8",
    "svg": "image/svg+xml",
}
# Files by the name that they are served under: ours, and those of the interactive reference.
_OURS = files("service") / "web" / "static"
# Found without an import, which would read all of its files into memory.
_REFERENCE = Path(str(distribution("offapi").locate_file("offapi")))

STATIC = {
    "comments.css": _OURS / "comments.css",
    "frame.js": _OURS / "frame.js",
    "greenroom.css": _OURS / "greenroom.css",
    "greenroom.svg": _OURS / "greenroom.svg",
    "reference.js": _OURS / "reference.js",
    "swagger-ui.css": _REFERENCE / "swagger_style.css",
    "swagger-ui-bundle.js": _REFERENCE / "swagger_bundle.js",
}
# The parts of the widget's script, in one scope: each uses what stands above it.
_WIDGET = files("service") / "web" / "widget"
WIDGET_PARTS = (
    *("base.js", "focus.js", "colours.js", "times.js", "tools.js", "part.js", "thread.js"),
    *("seen.js", "form.js", "live.js", "count.js", "element.js"),
)
# Said before anything is loaded, and where nothing can be.
EARLY_WORDS = ("loading", "unreachable", "retry")
# The parts of what the widget loads when it is needed.
LATER_PARTS = (
    *("later.js", "replying.js", "sending.js", "own.js", "correcting.js", "changing.js"),
    "opening.js",
)


def build_widget() -> bytes:
    """Put the widget's script together, with the styles in it, without comments and blanks.

    A page needs this one file, and whoever wants to read it has the parts. It asks for what comes later under
    an address that is another one when that has changed.
    """
    styles = rcssmin.cssmin((_OURS / "comments.css").read_text())
    later = f"embed-later.js?v={sha256(build_later()).hexdigest()[:8]}"
    early = {language: [read_words(language)[key] for key in EARLY_WORDS] for language in LANGUAGES}
    # Long ones first: what is missing of several is shown at the text.
    typed = [field.name for field in sorted(SHOWN, key=lambda field: not field.is_long)]
    constants = {"EARLY": early, "STYLES": styles, "LATER": later, "TYPED": typed}
    declared = ", ".join(f"{name} = {_quote(value)}" for name, value in constants.items())
    return _minify("\n".join([f"const {declared};", *map(_read_part, WIDGET_PARTS)]))


def build_later() -> bytes:
    """Give what the widget loads when it is needed, without comments and blanks."""
    return _minify("\n".join(map(_read_part, LATER_PARTS)))


def _read_part(name: str) -> str:
    return (_WIDGET / name).read_text()


def _quote(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _minify(script: str) -> bytes:
    small: str = rjsmin.jsmin(script)
    return small.encode()


@cache
def load_file(name: str) -> StoredResponse:
    """Give what is served under a name, for the edge to send in the coding that its reader prefers."""
    build = {"embed.js": build_widget, "embed-later.js": build_later}.get(name)
    body = build() if build else STATIC[name].read_bytes()
    return StoredResponse(body, encode_headers(KINDS[name.rpartition(".")[2]], HOUR))


@get("/embed.js", answers={200: SCRIPT})
async def show_widget() -> ASGIApp:
    """Give the script of the widget: `greenroom-comments` and `greenroom-count`."""
    return load_file("embed.js")


@get("/embed-later.js", answers={200: SCRIPT})
async def show_later() -> ASGIApp:
    """Give what the widget loads when it is needed."""
    return load_file("embed-later.js")


@get("/{name:str}")
async def show_static(name: FromPath[str]) -> ASGIApp:
    """Give one of the static files of our pages."""
    if name not in STATIC:
        raise NotFound
    return load_file(name)


ROUTERS = [
    Router(
        "/",
        opt={"tag": "Public", "readers": Readers.ANYONE},
        route_handlers=[show_widget, show_later],
    ),
    Router("/static", route_handlers=[show_static]),
]
