"""Who may come in: everything but a written list asks who it is, and a stranger finds nothing.

Both are read from the routes of the running app, so that a new route is held to it without being named here.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from litestar import get
from litestar.handlers import HTTPRouteHandler

from service.accounts.guards import require_moderator
from service.app import create_app
from service.clock import new_id
from service.http.docs import Doc
from service.http.edge import Edge
from service.http.routing import Route
from service.settings import Settings
from tests.answers import headers_of
from tests.cast import House, email_of
from tests.keyboard import type_command

# The routes that anybody may call, each with the reason why.
PUBLIC = {
    # Readers and commenters have no account.
    "POST /v1/sites/{site}/comments",
    "POST /sites/{site}/wp-comments-post.php",
    "GET /v1/sites/{site}/comments",
    "GET /v1/sites/{site}/comments/{comment}",
    "GET /v1/sites/{site}/comments.atom",
    "GET /v1/sites/{site}/comments/stream",
    "GET /v1/sites/{site}/counts",
    "GET /v1/sites/{site}/form",
    "POST /v1/sites/{site}/preview",
    "GET /v1/sites/{site}/comments.html",
    "GET /embed.js",
    "GET /embed-later.js",
    "GET /avatars/{file}",
    # A receipt's token is what lets one in.
    "GET /v1/receipts/{token}",
    "PATCH /v1/receipts/{token}",
    "DELETE /v1/receipts/{token}",
    "GET /receipts/{token}",
    "POST /receipts/{token}/edit",
    "POST /receipts/{token}/withdraw",
    # Those who sign in are not signed in yet.
    "POST /v1/session",
    "GET /sign-in",
    "POST /sign-in",
    "GET /sign-in/{token}",
    "POST /sign-in/{token}",
    # Monitoring; what it may know is the routes' own question.
    "GET /health/live",
    "GET /health/ready",
    "GET /metrics",
    # The manual.
    "GET /problems",
    "GET /problems/{slug}",
    "GET /schema",
    "GET /schema/openapi.json",
    "GET /static/{name}",
}
# Bodies that would do if the site were one's own; a route with a body that is missing here is a 422 below.
BODIES: dict[str, dict[str, object]] = {
    "PATCH /v1/sites/{site}": {"title": "Mine now"},
    "POST /v1/sites/{site}/articles": {"article": "/post", "state": "closed"},
    "PUT /v1/sites/{site}/members/{moderator}": {"role": "viewer"},
    "POST /v1/moderation/comments/{comment}/email-reveals": {"purpose": "To know."},
    "POST /v1/moderation/claims": {
        "site": "blog",
        "limit": 1,
        "lease_seconds": 60,
        "order": "oldest",
    },
    "POST /v1/sites/{site}/members": {
        "email": "erin@moderators.example",
        "name": "Erin",
        "role": "owner",
    },
    "PATCH /v1/moderators/{moderator}": {"state": "disabled"},
    "POST /v1/tokens": {"name": "mine", "site": "blog"},
}
# What names comments in a batch says `not_found` of each, or leaves it out, with a 200.
BATCHES = {
    "POST /v1/moderation/decisions",
    "POST /v1/moderation/undo",
    "PUT /v1/moderation/claims",
    "POST /moderation",
}
# What names nothing is about the caller alone.
ABOUT_ONESELF = {
    "GET /v1/sites",
    "POST /v1/sites",
    "GET /v1/tokens",
    # These are 403 for whoever is no admin.
    "GET /v1/moderators",
    "POST /v1/moderators",
    "DELETE /v1/moderation/claims",
    "DELETE /v1/session",
    "GET /moderation",
    "POST /sign-out",
}
FOREIGN = ("site", "comment", "moderator", "token")


def operations(app: Any) -> Iterator[tuple[str, Route, Doc]]:
    """Give every operation of the app as `METHOD /template`."""
    assert isinstance(app, Edge)
    for route in app.table.routes:
        for method, doc in route.docs.items():
            yield f"{method} {route.template}", route, doc


def is_guarded(handler: HTTPRouteHandler) -> bool:
    return require_moderator in handler.resolve_guards()


def unguarded(app: Any) -> set[str]:
    return {
        f"{method} {route.template}"
        for route in app.table.routes
        for method, handler in route.handlers.items()
        if not is_guarded(handler)
    }


async def call(client: httpx.AsyncClient, name: str, **values: Any) -> httpx.Response:
    """Call an operation, with `values` in its path, and its site in its query for a GET, or in its body."""
    method, template = name.split()
    path = template.format_map(values)
    query = {"site": values["site"]} if method == "GET" else None
    body = BODIES.get(name)
    if body and "site" in body:
        body = {**body, "site": values["site"]}
    return await client.request(method, path, params=query, json=body)


def test_only_the_written_list_is_public(tmp_path: Path) -> None:
    assert unguarded(create_app(Settings(data_dir=tmp_path))) == PUBLIC


def test_the_command_line_lists_the_same(tmp_path: Path) -> None:
    listed = json.loads(type_command(tmp_path, {}, "routes", "--json").output)["routes"]
    who = {f"{one['method']} {one['path']}": one["who"] for one in listed}
    assert {name for name, may in who.items() if may == "anybody"} == PUBLIC
    lines = type_command(tmp_path, {}, "routes").output.splitlines()
    assert len(lines) == len(listed) == len(who)
    assert any(one.endswith("submission.routes.submit_comment") for one in lines)


def test_a_new_route_without_a_guard_fails_the_test_above(tmp_path: Path) -> None:
    @get("/v1/moderation/gossip")
    async def show_gossip() -> None:
        """Tell everybody."""

    app = create_app(Settings(data_dir=tmp_path), extra_routes=[show_gossip])
    assert unguarded(app) - PUBLIC == {"GET /v1/moderation/gossip"}


async def test_everything_else_is_401_without_credentials(house: House) -> None:
    values = dict.fromkeys(FOREIGN, "blog")
    async with house.nothing_changes():
        answers = {
            name: await call(house.dave, name, **values)
            for name, *_ in operations(house.app)
            if name not in PUBLIC
        }
    assert {name: one.status_code for name, one in answers.items() if one.status_code != 401} == {}
    for answer in answers.values():
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["type"] == "/problems/not-signed-in"


async def test_credentials_that_are_none_are_401(house: House) -> None:
    for wrong in (b"Bearer ", b"Bearer nonsense", b"Basic YTpi", b"Bearer \xff", b"Bearer"):
        headers = {b"authorization": wrong}
        answer = await house.dave.get("/v1/moderation/comments", headers=headers)
        assert answer.status_code == 401, wrong
    house.dave.cookies.set("__Host-greenroom", "nonsense")
    assert (await house.dave.get("/v1/moderation/comments")).status_code == 401


async def test_the_scheme_of_a_bearer_token_has_no_case(house: House) -> None:
    token = house.bob.headers["authorization"].split()[1]
    answer = await house.dave.get("/v1/sites", headers={"authorization": f"bEARER {token}"})
    assert answer.status_code == 200


async def test_a_stranger_gets_404_for_whatever_names_something_of_another_site(
    house: House,
) -> None:
    values = await things_of_blog(house)
    named = {name for name, route, doc in operations(house.app) if names(route, doc)}
    assert named
    async with house.nothing_changes():
        found = {
            name: status
            for name in sorted(named - PUBLIC)
            if (status := (await call(house.charlie, name, **values)).status_code) != 404
        }
    assert found == {}


async def test_what_is_foreign_is_refused_byte_for_byte_as_what_is_not_there(house: House) -> None:
    named = {name for name, route, doc in operations(house.app) if names(route, doc)}
    foreign = await things_of_blog(house)
    unknown = {**dict.fromkeys(FOREIGN, str(new_id())), "site": "nowhere"}
    for name in sorted(named - PUBLIC):
        answers = [await call(house.charlie, name, **values) for values in (foreign, unknown)]
        for answer in answers:
            assert (answer.status_code, answer.content) == (404, answers[0].content), name
            assert headers_of(answer) == headers_of(answers[0]), name


async def test_so_it_is_on_one_s_own_site(house: House) -> None:
    theirs = await things_of_elsewhere(house)
    unknown = {**dict.fromkeys(FOREIGN, str(new_id())), "site": "blog"}
    misspelt = {**dict.fromkeys(FOREIGN, "x"), "site": "blog"}
    for name, route, _ in operations(house.app):
        if "{comment}" in name or "{moderator}" in name or "/v1/tokens/{token}" in name:
            every = (theirs, unknown, misspelt)
            answers = [await call(house.alice, name, **values) for values in every]
            for answer in answers:
                assert (answer.status_code, answer.content) == (404, answers[0].content), route
                assert headers_of(answer) == headers_of(answers[0]), route


async def things_of_elsewhere(house: House) -> dict[str, str]:
    """Give ids of what is there on Charlie's site, to be asked for on Alice's."""
    comment = await house.submit(site="elsewhere", article="/secret")
    members = (await house.charlie.get("/v1/sites/elsewhere/members")).json()["members"]
    tokens = (await house.charlie.get("/v1/tokens")).json()["tokens"]
    return {
        "site": "blog",
        "comment": comment.id,
        "moderator": members[0]["moderator"]["id"],
        "token": tokens[0]["id"],
    }


async def things_of_blog(house: House) -> dict[str, str]:
    """Give ids of what is there on Alice's site, by the names that routes use."""
    comment = await house.publish()
    members = (await house.alice.get("/v1/sites/blog/members")).json()["members"]
    tokens = (await house.alice.get("/v1/tokens")).json()["tokens"]
    return {
        "site": "blog",
        "comment": comment.id,
        "moderator": members[0]["moderator"]["id"],
        "token": tokens[0]["id"],
    }


def names(route: Route, doc: Doc) -> bool:
    """Tell whether an operation names a site or something of one, in its path, query or body."""
    structs = [one for one in (doc.query, doc.body) if one]
    return any(f"{{{one}}}" in route.template for one in FOREIGN) or any(
        "site" in struct.__struct_fields__ for struct in structs
    )


def test_every_guarded_route_is_of_one_of_three_kinds(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path))
    unnamed = {name for name, route, doc in operations(app) if not names(route, doc)}
    assert unnamed - PUBLIC == BATCHES | ABOUT_ONESELF


async def test_a_stranger_finds_nothing_in_a_batch(house: House) -> None:
    pending = await house.submit(text="A secret of the blog.")
    decided = await house.submit()
    [decision] = await house.approve(decided.id)
    wanted = {"comment": pending.id, "version": 1, "action": "approve"}
    async with house.nothing_changes():
        post, put = house.charlie.post, house.charlie.put
        answers = [
            await post("/v1/moderation/decisions", json={"decisions": [wanted]}),
            await post("/v1/moderation/undo", json={"decisions": [decision.decision]}),
            await put("/v1/moderation/claims", json={"comments": [pending.id], "lease_seconds": 60}),
            await post("/moderation", data=wanted),
        ]
    assert [one["outcome"] for one in answers[0].json()["results"]] == ["not_found"]
    assert [one["outcome"] for one in answers[1].json()["results"]] == ["not_found"]
    assert answers[2].json()["comments"] == []
    assert answers[3].headers["location"] == "/moderation?outcome=not_found"


async def test_what_is_about_oneself_holds_nothing_of_another_site(house: House) -> None:
    await house.submit(text="A secret of the blog.")
    for name in sorted(ABOUT_ONESELF):
        answer = await call(house.charlie, name, site="blog")
        assert "secret" not in answer.text, name
        assert "Alice" not in answer.text, name
        assert email_of("alice") not in answer.text, name
