"""The table of routes as the edge sees it: which template a path is of, and which methods that has."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from litestar.handlers import HTTPRouteHandler
from litestar.routes import BaseRoute, HTTPRoute

from service.http.docs import Doc

# No name in a path is as long, and no path of such names has more of them.
MAX_NAME_CHARS = 128
MAX_PATH_CHARS = 8 * MAX_NAME_CHARS
# In the `opt` of a handler that does nothing but say why a method does not work.
REFUSES = "refuses"
_SLASHES = re.compile("/{2,}")
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


class Route(msgspec.Struct, frozen=True):
    """A path template and what can be done there, by method."""

    template: str
    pattern: re.Pattern[str]
    handlers: Mapping[str, HTTPRouteHandler]

    @property
    def methods(self) -> list[str]:
        """Every method that works here: HEAD wherever GET does, and OPTIONS everywhere."""
        extra = ["HEAD"] if "GET" in self.handlers else []
        return sorted({*self.handlers, *extra, "OPTIONS"})

    def docs(self) -> list[tuple[str, HTTPRouteHandler, Doc]]:
        """Give method, handler and description of what the API's document lists."""
        return [
            (method, handler, handler.opt["doc"])
            for method, handler in self.handlers.items()
            if "doc" in handler.opt
        ]


class RouteTable:
    """Finds the route of a path: at once if it has no parameter, else by trying the templates in order.

    As the framework does, it prefers a word to a parameter, segment by segment: `/comments/stream` is no
    comment.
    """

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self.routes = [_read_route(route) for route in routes if isinstance(route, HTTPRoute)]
        self._fixed = {route.template: route for route in self.routes if "{" not in route.template}
        patterns = [route for route in self.routes if "{" in route.template]
        self._patterns = sorted(patterns, key=_parameters_last)

    def find(self, path: str) -> tuple[Route, dict[str, str]] | None:
        """Give the route of a path and the values of its parameters; more slashes than needed are tolerated.

        The framework finds the same: a path that only one of both knew would go out without its headers.
        """
        plain = _SLASHES.sub("/", f"/{path}").rstrip("/") or "/"
        if fixed := self._fixed.get(plain):
            return fixed, {}
        for route in self._patterns:
            if match := route.pattern.fullmatch(plain):
                return route, match.groupdict()
        return None


def shorten(path: str) -> str:
    """Cut the names in a path that leads to a route: of one that is too long no less is unknown.

    The framework remembers paths and what it finds in them, a thousand at a time.
    """
    if len(path) <= MAX_PATH_CHARS:
        return path
    names = _SLASHES.sub("/", f"/{path}").split("/")
    return "/".join(name[:MAX_NAME_CHARS] for name in names)


def _parameters_last(route: Route) -> list[bool]:
    return [segment.startswith("{") for segment in route.template.split("/")]


def _read_route(route: HTTPRoute) -> Route:
    template = _PARAMETER.sub(r"{\1}", route.path_format)
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
    handlers: dict[str, Any] = {
        str(method): handler
        for handler in route.route_handlers
        for method in handler.http_methods
        if method != "OPTIONS" and REFUSES not in handler.opt
    }
    return Route(template, re.compile(pattern), handlers)
