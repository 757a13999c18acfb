"""The table of routes as the edge sees it: which template a path is of, and which methods that has."""

import re
from collections.abc import Iterable, Mapping

import msgspec
from litestar import Router as FrameworkRouter
from litestar.handlers import HTTPRouteHandler
from litestar.routes import BaseRoute, HTTPRoute
from litestar.types.internal_types import RouteHandlerMapItem

from service.http.docs import Doc

# No name in a path is as long, and no path of such names has more of them.
MAX_NAME_CHARS = 128
MAX_PATH_CHARS = 8 * MAX_NAME_CHARS
_SLASHES = re.compile("/{2,}")
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


class Router(FrameworkRouter):
    """The routes of a feature under one prefix, behind one guard; what its `opt` says is told by `Doc`.

    Several may have routes of the same path: the framework's own would each bring an answer to OPTIONS, of
    which a path may have one. The edge answers it.
    """

    @property
    def route_handler_method_map(self) -> dict[str, RouteHandlerMapItem]:
        """Give the handlers by path and method, but for those that the framework has added."""
        return {
            path: {method: handler for method, handler in handlers.items() if method != "OPTIONS"}
            for path, handlers in super().route_handler_method_map.items()
        }


class Route(msgspec.Struct, frozen=True):
    """A path template and what can be done there, by method."""

    template: str
    pattern: re.Pattern[str]
    handlers: Mapping[str, HTTPRouteHandler]
    docs: Mapping[str, Doc]

    @property
    def methods(self) -> list[str]:
        """Every method that works here: HEAD wherever GET does, and OPTIONS everywhere."""
        extra = ["HEAD"] if "GET" in self.handlers else []
        return sorted({*self.handlers, *extra, "OPTIONS"})

    def described(self) -> list[tuple[str, HTTPRouteHandler, Doc]]:
        """Give method, handler and description of what the API's document lists."""
        return [(method, self.handlers[method], doc) for method, doc in self.docs.items() if doc.tag]


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
    handlers: dict[str, HTTPRouteHandler] = {}
    docs: dict[str, Doc] = {}
    for handler in route.route_handlers:
        # Raises TypeError for what no route has to say.
        doc = Doc(**handler.opt)
        for method in handler.http_methods:
            if method != "OPTIONS" and not doc.refuses:
                handlers[str(method)], docs[str(method)] = handler, doc
    return Route(template, re.compile(pattern), handlers, docs)
