"""The script of the widget and the static files of our pages, kept as bytes in each coding."""

from functools import cache
from hashlib import sha256
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import rcssmin
import rjsmin
from litestar import Response, get
from litestar.params import FromPath

from service.errors import NotFound
from service.http.docs import Readers
from service.http.kept import KEPT, Kept
from service.http.reading import AppRequest
from service.http.routing import Router
from service.text.languages import LANGUAGES, read_words

HOUR = {"Cache-Control": "public, max-age=3600", "Vary": "Accept-Encoding"}
SCRIPT = "text/javascript"
KINDS = {"css": "text/css", "js": SCRIPT, "svg": "image/svg+xml"}
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
    constants = {"STYLES": styles, "EARLY": early, "LATER": later}
    parts = [f"const {name} = {_quote(value)};" for name, value in constants.items()]
    return _minify("\n".join([*parts, *map(_read_part, WIDGET_PARTS)]))


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
def _keep_widget() -> Kept:
    return Kept(build_widget())


@cache
def _keep_later() -> Kept:
    return Kept(build_later())


@cache
def _keep_file(name: str) -> Kept:
    return Kept(STATIC[name].read_bytes())


def _send(request: AppRequest, kept: Kept, kind: str) -> Response[Any]:
    """Hand a file to the edge, which sends it in the coding that its reader prefers."""
    request.scope["state"][KEPT] = kept
    return Response(b"", headers=HOUR, media_type=kind)


@get("/embed.js", answers={200: SCRIPT})
async def show_widget(request: AppRequest) -> Response[Any]:
    """Give the script of the widget: `greenroom-comments` and `greenroom-count`."""
    return _send(request, _keep_widget(), SCRIPT)


@get("/embed-later.js", answers={200: SCRIPT})
async def show_later(request: AppRequest) -> Response[Any]:
    """Give what the widget loads when it is needed."""
    return _send(request, _keep_later(), SCRIPT)


@get("/{name:str}")
async def show_static(request: AppRequest, name: FromPath[str]) -> Response[Any]:
    """Give one of the static files of our pages."""
    if name not in STATIC:
        raise NotFound
    return _send(request, _keep_file(name), KINDS[name.rsplit(".", 1)[1]])


ROUTERS = [
    Router(
        "/",
        opt={"tag": "Public", "readers": Readers.ANYONE},
        route_handlers=[show_widget, show_later],
    ),
    Router("/static", route_handlers=[show_static]),
]
