"""`greenroom routes`: every route at one look."""

from collections.abc import Iterator

import click
import msgspec

from service.accounts.guards import require_moderator
from service.app import build_framework
from service.command_line.working import as_json, show_list


class ShownRoute(msgspec.Struct, frozen=True):
    """One method of one path, who may call it, and the function that answers."""

    method: str
    path: str
    who: str
    function: str

    @property
    def line(self) -> str:
        return f"{self.method:<7}{self.path:<58}{self.who:<12}{self.function}"


@click.command()
@as_json
def routes(is_json: bool) -> None:
    """List every route: method, path, who may call it, function."""
    show_list("routes", list(_read_routes()), is_json=is_json)


def _read_routes() -> Iterator[ShownRoute]:
    _, table, _ = build_framework()
    for route in table.routes:
        for method, handler in sorted(route.handlers.items()):
            is_guarded = require_moderator in handler.resolve_guards()
            who = "moderators" if is_guarded else "anybody"
            function = f"{handler.fn.__module__}.{handler.fn.__name__}"
            yield ShownRoute(method, route.template, who, function.removeprefix("service."))
