"""Accounts, sites and tokens at the keyboard: what is listed, and what ends in a service that runs."""

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from service.app import create_app
from service.settings import load_settings
from tests.in_process import alive
from tests.keyboard import URL, Operator
from tests.processes import Server
from tests.servers import start_service

ALICE, BOB = "alice@moderators.example", "bob@moderators.example"
PASSWORD, NEW_PASSWORD = "correct horse battery", "another battery staple"
QUEUE = "/v1/moderation/comments"


@pytest.fixture
def owner(operator: Operator) -> Operator:
    """Give an operator whose site `blog` Alice owns and Bob moderates, both with a password."""
    operator.gets("migrate")
    operator.gets("site create blog", "--title", "A blog", "--origin", "https://blog.example")
    for email, name, role in ((ALICE, "Alice", "owner"), (BOB, "Bob", "moderator")):
        created = f"moderator create {email} --name {name} --site blog --role {role}"
        operator.gets(f"{created} --password-stdin", stdin=PASSWORD)
    return operator


def read(operator: Operator, command: str) -> Any:
    return json.loads(operator.gets(f"{command} --json"))


def actions(operator: Operator) -> list[str]:
    """Give what stands in the logs, the newest first, as an admin reads it there."""
    admin = f"admin-{len(read(operator, 'moderator list')['moderators'])}@moderators.example"
    operator.gets(f"moderator create {admin} --name Admin --admin")
    token = operator.gets(f"token create --moderator {admin}")
    log = asyncio.run(read_log(operator, token))
    assert "@" not in json.dumps(log)
    return [entry["action"] for entry in log["entries"]]


async def read_log(operator: Operator, token: str) -> Any:
    place = {"GREENROOM_DATA_DIR": str(operator.folder / "data"), **operator.environment}
    app: Any = create_app(load_settings(place))
    transport, headers = httpx.ASGITransport(app), {"authorization": f"Bearer {token}"}
    async with alive(app), httpx.AsyncClient(transport=transport, base_url=URL) as client:
        return (await client.get("/v1/moderation/log?limit=200", headers=headers)).json()


def test_accounts_are_listed_without_addresses_unless_asked_for(owner: Operator) -> None:
    listed = read(owner, "moderator list")
    alice, bob = listed["moderators"]
    assert bob == {
        "id": bob["id"],
        "name": "Bob",
        "state": "active",
        "admin": False,
        "has_password": True,
        "roles": [{"site": "blog", "role": "moderator"}],
        "created_at": bob["created_at"],
    }
    lines = owner.gets("moderator list").splitlines()
    assert lines[1].split("\t") == [bob["id"], "active", "Bob", "blog:moderator"]
    assert "@" not in "".join(lines)
    with_emails = read(owner, "moderator list --emails")["moderators"]
    assert with_emails == [{**alice, "email": ALICE}, {**bob, "email": BOB}]
    assert owner.gets("moderator list --emails").splitlines()[0].endswith(f"\t{ALICE}")
    assert actions(owner).count("moderator.revealed") == 2


def test_sites_are_listed_and_shown_as_they_are_set(owner: Operator) -> None:
    owner.gets("site set blog", "max_depth=3", "reason.rude=Please be kind.")
    [site] = read(owner, "site list")["sites"]
    assert (site["slug"], site["title"]) == ("blog", "A blog")
    assert site["origins"] == ["https://blog.example"]
    assert owner.gets("site list") == "blog\tA blog\thttps://blog.example"
    shown = read(owner, "site show blog")
    assert {name: shown[name] for name in site} == site
    assert shown["settings"]["max_depth"] == 3
    assert [(one["moderator"]["name"], one["role"]) for one in shown["members"]] == [
        ("Alice", "owner"),
        ("Bob", "moderator"),
    ]
    lines = owner.gets("site show blog").splitlines()
    assert {"max_depth=3", "reason.rude=Please be kind."} < set(lines)
    # What is shown can be typed again.
    pairs = [line for line in lines if re.match(r"[a-z._]+=", line)]
    owner.gets("site set blog", *pairs)
    assert read(owner, "site show blog") == shown


def test_tokens_are_listed_without_their_texts_and_revoked_by_id(owner: Operator) -> None:
    text = owner.gets(f"token create --moderator {BOB} --site blog --role viewer --name script")
    of_alice = read(owner, f"token list --moderator {ALICE}")
    assert of_alice == {"tokens": []}
    [token] = read(owner, "token list")["tokens"]
    bob = read(owner, "moderator list")["moderators"][1]
    assert token == {
        "id": token["id"],
        "moderator": {"id": bob["id"], "name": "Bob"},
        "name": "script",
        "site": "blog",
        "role": "viewer",
        "created_at": token["created_at"],
        "last_used_at": None,
    }
    line = owner.gets(f"token list --moderator {bob['id']}")
    assert line.split("\t") == [token["id"], "Bob", "script", "blog, viewer", "never used"]
    assert text not in line
    assert owner.gets(f"token revoke {token['id']}") == "Revoked the token."
    assert owner.gets("token list") == ""
    assert "no such token" in owner.is_refused(f"token revoke {token['id']}")


@contextmanager
def clients(server: Server) -> Iterator[Any]:
    """Give a function that makes clients of a service, each with headers and an address of its own.

    From one address an account may be tried five times a minute.
    """
    made: list[httpx.Client] = []

    def make(**headers: str) -> httpx.Client:
        place = httpx.HTTPTransport(local_address=f"127.0.0.{len(made) + 1}")
        made.append(httpx.Client(base_url=server.url, headers=headers, transport=place))
        return made[-1]

    try:
        yield make
    finally:
        for client in made:
            client.close()


def test_what_is_typed_ends_what_runs(owner: Operator) -> None:
    """Without Redis, and in a process that knows of nothing but the database."""
    url = {"GREENROOM_PUBLIC_URL": "http://127.0.0.1"}
    with (
        start_service(owner.folder, {**owner.environment, **url}) as server,
        clients(server) as make,
    ):

        def signs_in(password: str = PASSWORD) -> httpx.Client | None:
            browser: httpx.Client = make()
            account = {"email": BOB, "password": password}
            answer = browser.post("/v1/session", json=account)
            assert answer.status_code in {200, 401}
            return browser if answer.status_code == 200 else None

        def script() -> httpx.Client:
            token = owner.gets(f"token create --moderator {BOB}")
            client: httpx.Client = make(authorization=f"Bearer {token}")
            return client

        def may_look(client: httpx.Client | None) -> bool:
            return client is not None and client.get(QUEUE).status_code == 200

        browser, token, link = signs_in(), script(), owner.gets(f"moderator link {BOB}")
        assert may_look(browser)
        said = owner.gets(f"moderator sign-out {BOB}")
        assert said == "Bob is signed out. 1 session, 1 open link and 0 tokens ended."
        assert (may_look(browser), may_look(token)) == (False, True)
        assert make().get(link.removeprefix(URL)).status_code == 404
        assert "1 token ended" in owner.gets(f"moderator sign-out {BOB} --tokens")
        assert not may_look(token)

        browser, token = signs_in(), script()
        said = owner.gets(f"moderator password {BOB} --keep-tokens", stdin=NEW_PASSWORD)
        assert said == "Bob has a new password. 1 session, 0 open links and 0 tokens ended."
        assert (may_look(browser), may_look(token)) == (False, True)
        assert signs_in() is None
        browser = signs_in(NEW_PASSWORD)
        owner.gets(f"moderator password {BOB}", stdin=PASSWORD)
        assert (may_look(browser), may_look(token)) == (False, False)

        browser, token = signs_in(), script()
        said = owner.gets(f"moderator disable {BOB}")
        assert said == "Bob is disabled. 1 session, 0 open links and 1 token ended."
        assert (may_look(browser), may_look(token), signs_in()) == (False, False, None)
        for command in ("moderator link", "token create --moderator"):
            assert "is disabled" in owner.is_refused(f"{command} {BOB}")
        assert owner.gets(f"moderator enable {BOB}") == "Bob can sign in."
        assert (may_look(browser), may_look(token)) == (False, False)

        browser, token = signs_in(), script()
        assert may_look(browser)
        bob = read(owner, "moderator list")["moderators"][1]["id"]
        assert owner.gets(f"moderator remove {bob}").startswith("Bob is removed. 1 session")
        assert (may_look(browser), may_look(token), signs_in()) == (False, False, None)
        assert "no moderator" in owner.is_refused(f"moderator link {BOB}")
    assert "@" not in server.log_text()
    done = [action for action in reversed(actions(owner)) if action.startswith("moderator.")]
    assert done[2:7] == [
        "moderator.signed_out",
        "moderator.signed_out",
        "moderator.disabled",
        "moderator.enabled",
        "moderator.removed",
    ]
    owner.gets("log verify")


def test_the_last_owner_and_the_last_admin_stay(owner: Operator) -> None:
    for word in ("disable", "remove"):
        assert "blog" in owner.is_refused(f"moderator {word} {ALICE}")
    assert "blog" in owner.is_refused(f"moderator create {ALICE} --name Alice --site blog --role viewer")
    owner.gets("moderator create root@moderators.example --name Root --admin")
    assert "without an admin" in owner.is_refused("moderator remove root@moderators.example")
    owner.gets(f"moderator create {BOB} --name Bob --site blog --role owner")
    assert owner.gets(f"moderator remove {ALICE}").startswith("Alice is removed. ")


def test_what_is_typed_has_the_form_of_what_is_sent(owner: Operator) -> None:
    blank, carol = "\u200b\u2800 ", "carol@moderators.example"
    for refused in (
        owner.is_refused("site create new --origin https://new.example --title", blank),
        owner.is_refused("site set blog", f"title={blank}"),
        owner.is_refused("site set blog", f"reason.rude={blank}"),
        owner.is_refused(f"moderator create {carol} --name", blank),
        owner.is_refused(f"token create --moderator {BOB} --name", blank),
    ):
        assert re.match(r"(title|name|reason\.rude): ", refused)
    owner.gets("site set blog", "title= My\tblog\u200b", "reason.rude= Be kind.\u202e")
    shown = read(owner, "site show blog")
    assert (shown["title"], shown["settings"]["reasons"]) == ("My blog", {"rude": "Be kind."})
    owner.gets(f"moderator create {carol} --name", " Carol\u200b\tC.")
    assert read(owner, "moderator list")["moderators"][2]["name"] == "Carol C."
