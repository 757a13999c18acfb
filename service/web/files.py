"""The script of the widget and the static files of our pages, kept as bytes in each coding."""

from functools import cache
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
from service.http.docs import Doc, Readers
from service.http.kept import KEPT, Kept
from service.http.reading import AppRequest
from service.languages import LANGUAGES, read_words

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
    *("base.js", "colours.js", "times.js", "tools.js", "thread.js", "seen.js", "form.js", "own.js"),
    *("live.js", "count.js", "element.js"),
)
# Said before anything is loaded, and where nothing can be.
EARLY_WORDS = ("loading", "unreachable", "retry")


def build_widget() -> bytes:
    """Put the widget's script together, with the styles in it, without comments and blanks.

    A page needs this one file, and whoever wants to read it has the parts.
    """
    styles = rcssmin.cssmin((_OURS / "comments.css").read_text())
    early = {language: [read_words(language)[key] for key in EARLY_WORDS] for language in LANGUAGES}
    constants = [
        f"const {name} = {msgspec.json.encode(value).decode()};"
        for name, value in (("STYLES", styles), ("EARLY", early))
    ]
    parts = [(_WIDGET / part).read_text() for part in WIDGET_PARTS]
    whole = "\n".join([*constants, *parts])
    script: str = rjsmin.jsmin(whole)
    return script.encode()


@cache
def _keep_widget() -> Kept:
    return Kept(build_widget())


@cache
def _keep_file(name: str) -> Kept:
    return Kept(STATIC[name].read_bytes())


def _send(request: AppRequest, kept: Kept, kind: str) -> Response[Any]:
    """Hand a file to the edge, which sends it in the coding that its reader prefers."""
    request.scope["state"][KEPT] = kept
    return Response(b"", headers=HOUR, media_type=kind)


@get(
    "/embed.js",
    opt=Doc(readers=Readers.ANYONE, tag="Public", answers={200: SCRIPT}).as_opt(),
)
async def show_widget(request: AppRequest) -> Response[Any]:
    """Give the script of the widget: `greenroom-comments` and `greenroom-count`."""
    return _send(request, _keep_widget(), SCRIPT)


@get("/static/{name:str}")
async def show_static(request: AppRequest, name: FromPath[str]) -> Response[Any]:
    """Give one of the static files of our pages."""
    if name not in STATIC:
        raise NotFound
    return _send(request, _keep_file(name), KINDS[name.rsplit(".", 1)[1]])


ROUTES = [show_widget, show_static]
