"""A router has the guard for all of its routes, so that a new one cannot be open by forgetting."""

from copy import deepcopy

import pytest
from litestar import get

from service.accounts.guards import require_moderator
from service.app import ROUTERS, build_framework
from service.http.routing import Router

# The prefixes under which a new route is open by itself; under any other it is guarded without a word.
OPEN_PREFIXES = {
    "/",
    "/v1/sites/{site:str}",
    "/v1/receipts/{token:str}",
    "/receipts/{token:str}",
    "/avatars",
    "/v1/session",
    "/sign-in",
    "/problems",
    "/schema",
    "/static",
}


def add_route(router: Router, number: int) -> Router:
    """Give a router of the same layers, with one new route and no other."""

    @get(f"/gossip-{number}")
    async def show_gossip() -> None:
        """Tell whoever gets in."""

    more = deepcopy(router)
    more.routes.clear()
    more.register(show_gossip)
    return more


def test_a_new_route_has_the_guard_of_its_router() -> None:
    extended = [add_route(router, number) for number, router in enumerate(ROUTERS)]
    _, table, _ = build_framework(extended)
    for number, router in enumerate(ROUTERS):
        found = table.find(f"{router.path}/gossip-{number}")
        assert found is not None
        handler = found[0].handlers["GET"]
        assert handler.fn.__name__ == "show_gossip"
        is_guarded = require_moderator in handler.resolve_guards()
        assert is_guarded == (require_moderator in router.guards), router.path


def test_no_route_brings_a_guard_of_its_own() -> None:
    handlers = [
        handler
        for router in ROUTERS
        for by_method in router.route_handler_method_map.values()
        for handler in by_method.values()
    ]
    assert handlers
    assert not any(handler.guards for handler in handlers)


def test_only_the_written_prefixes_are_open() -> None:
    assert {one.path for one in ROUTERS if require_moderator not in one.guards} == OPEN_PREFIXES


def test_a_route_that_says_what_no_route_has_to_say_does_not_start() -> None:
    @get("/gossip", problem=KeyError)
    async def show_rumour() -> None:
        """Tell what nobody knows."""

    with pytest.raises(TypeError, match="problem"):
        build_framework([Router("/", route_handlers=[show_rumour])])
