"""The command line as an operator types it: what each command prints, and how it says no."""

import importlib.metadata
import json
import re
import sqlite3
from pathlib import Path

import httpx
import psycopg
import pytest

from service.command_line.main import main
from tests.keyboard import URL, Operator, only_line
from tests.processes import Server
from tests.servers import run_greenroom, start_service

EMAIL = "alice@moderators.example"
VIEWER = "vera@moderators.example"
PASSWORD = "correct horse battery"
UNKNOWN_ID = "019c2a4e-7b1c-7d3e-9f00-4b5a6c7d8e9f"
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def test_greenroom_and_python_m_service_are_the_same() -> None:
    [script] = importlib.metadata.entry_points(group="console_scripts", name="greenroom")
    assert script.load() is main


def test_from_nothing_to_a_service_that_serves(operator: Operator) -> None:
    assert operator.gets("migrate") == "The database is up to date."
    assert operator.gets("migrate") == "The database is up to date."
    origin = "--origin https://blog.example"
    assert operator.gets(f"site create blog --title Blog {origin}") == "Created the site blog."
    created = f"moderator create {EMAIL} --name Alice --site blog --role owner --password-stdin"
    assert operator.gets(created, stdin=PASSWORD + "\n") == "Alice can sign in, and is owner of blog."
    link = operator.gets("moderator create bob@moderators.example --name Bob --site blog")
    another = operator.gets("moderator link bob@moderators.example")
    for one in (link, another):
        assert TOKEN.fullmatch(one.removeprefix(f"{URL}/sign-in/"))
    assert link != another
    # Alone on standard output, so that it can be put into a file or a variable.
    token = operator.gets(f"token create --moderator {EMAIL} --site blog")
    assert TOKEN.fullmatch(token)
    changed = operator.gets("site set blog", "title=My blog", "max_depth=3")
    assert changed == "Changed the site blog."
    secret = {"GREENROOM_METRICS_TOKEN": "a-token-of-the-metrics"}
    with start_service(operator.folder, {**operator.environment, **secret}) as server:
        says_how_it_starts(server, operator)
        bearer = {"Authorization": f"Bearer {token}"}
        shown = httpx.get(f"{server.url}/v1/sites/blog", headers=bearer, trust_env=False).json()
        assert (shown["title"], shown["settings"]["max_depth"]) == ("My blog", 3)
        members = httpx.get(f"{server.url}/v1/sites/blog/members", headers=bearer, trust_env=False).json()[
            "members"
        ]
        assert [one["role"] for one in members] == ["owner", "moderator"]
        account = {"email": EMAIL, "password": PASSWORD}
        signed_in = httpx.post(f"{server.url}/v1/session", json=account, trust_env=False)
        assert signed_in.status_code == 200
    assert "@" not in server.log_text()
    verify_logs(operator)


def says_how_it_starts(server: Server, operator: Operator) -> None:
    """Hold the first line of the log to the version, the settings, the database and Redis, and no secret."""
    first, *_ = server.log_text().splitlines()
    line = json.loads(first)
    assert line["version"] == importlib.metadata.version("greenroom")
    assert line["listens"] == server.url.removeprefix("http://")
    assert line["settings"]["public_url"] == URL
    assert line["settings"]["data_dir"] == str(operator.folder / "data")
    assert line["settings"]["drain_seconds"] == 0
    given = {"data_dir", "public_url", "drain_seconds", "database_patience_seconds"}
    assert line["settings"].keys() == {*given, "metrics_token"}
    kind = "PostgreSQL" if "GREENROOM_DATABASE_URL" in operator.environment else "SQLite"
    assert re.match(rf"{kind} .*, version [0-9.]+$", line["database"])
    assert line["redis"] == "none"
    assert "a-token-of-the-metrics" not in first


def verify_logs(operator: Operator) -> None:
    whole = operator.gets("log verify").splitlines()
    names = [line.partition(":")[0] for line in whole]
    assert sorted(names) == ["(installation)", "blog"]
    head = next(line for line in whole if line.startswith("blog")).rpartition(" ")[2]
    assert operator.gets(f"log verify --head {head}").splitlines() == whole
    forge_an_entry(operator)
    done = operator.types(f"log verify --head {head}")
    assert (done.exit_code, done.stderr) == (1, "")
    assert re.search(r"^blog: 1 flaws", done.stdout, re.MULTILINE)
    assert re.search(r"^  entry 1 \([0-9a-f-]{36}\): changed\. ", done.stdout, re.MULTILINE)
    done = operator.types("log verify --accept")
    assert (done.exit_code, done.stderr) == (1, "")
    assert re.search(r"^  not accepted: ", done.stdout, re.MULTILINE)


def forge_an_entry(operator: Operator) -> None:
    """Change the first entry of the blog's log in the database itself."""
    forgery = "UPDATE log_entry SET subject = 'forged' WHERE action = 'site.created'"
    if url := operator.environment.get("GREENROOM_DATABASE_URL"):
        with psycopg.connect(url) as connection:
            connection.execute(forgery)
        return
    with sqlite3.connect(operator.folder / "data" / "greenroom.sqlite3") as database:
        database.execute(forgery)
    database.close()


def test_an_account_that_is_there_gets_a_role_and_stays_as_it_is(operator: Operator) -> None:
    operator.gets("migrate")
    operator.gets("site create blog --title Blog --origin https://blog.example")
    operator.gets(f"moderator create {EMAIL} --name Alice --password-stdin", stdin=PASSWORD)
    again = f"moderator create {EMAIL} --name Alice --site blog"
    assert operator.gets(f"{again} --role viewer") == "Alice can sign in, and is viewer of blog."
    line = operator.is_refused(f"{again} --password-stdin", stdin="another battery staple")
    assert "without --admin and --password-stdin" in line


def test_a_value_is_a_text_where_the_setting_is_one(operator: Operator) -> None:
    operator.gets("migrate")
    operator.gets("site create blog --title Blog --origin https://blog.example")
    assert operator.gets("site set blog", "title=2024", "reason.year=2024") == ("Changed the site blog.")
    assert "origins/0: " in operator.is_refused("site set blog origins=5")


def test_serve_says_in_one_line_why_it_does_not(operator: Operator) -> None:
    assert "GREENROOM_REDIS_URL" in operator.is_refused("serve --workers 2", status=2)
    # A process of its own, which shows that no traceback comes with it.
    done = run_greenroom(operator.folder, operator.environment, "serve")
    assert (done.returncode, done.stdout) == (2, "")
    assert "greenroom migrate" in only_line(done.stderr)
    assert not (operator.folder / "data").exists()
    operator.gets("migrate")
    operator.environment["GREENROOM_SECRET_KEY"] = "another-key-of-more-than-32-characters"
    assert "GREENROOM_SECRET_KEY" in operator.is_refused("serve", status=2)


@pytest.fixture(scope="module")
def blog(tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """Give an operator who has a site and a moderator; its tests only ask for what is refused."""
    operator = Operator(tmp_path_factory.mktemp("blog"), {})
    operator.gets("migrate")
    operator.gets("site create blog --title Blog --origin https://blog.example")
    operator.gets(f"moderator create {EMAIL} --name Alice --password-stdin", stdin=PASSWORD)
    operator.gets("site create other --title Other --origin https://other.example")
    viewer = f"moderator create {VIEWER} --name Vera --site blog --role viewer"
    operator.gets(f"{viewer} --password-stdin", stdin=PASSWORD)
    return operator


REFUSED = {
    "site create blog --title Again --origin https://blog.example": "slug exists",
    "site create No_Slug --title No --origin https://blog.example": "slug",
    "site create new --title New --origin ftp://blog.example": "origin",
    "site set nowhere max_depth=3": "no site 'nowhere'",
    "site set blog max_depth": "KEY=VALUE",
    "site set blog colour=green": "no such setting",
    "site set blog limit.ip=10/week": "N/second|minute|hour|day",
    "moderator create nonsense --name No": "not an e-mail address",
    f"moderator create {EMAIL} --name Alice": "exists already",
    f"moderator create {EMAIL} --name Alice --role owner": "--role needs --site",
    f"moderator create {EMAIL} --name Bob --site blog": "has an account already",
    f"moderator create {EMAIL} --name Alice --site blog --admin": "without --admin",
    "moderator create new@mail.example --name New --password-stdin": "10 to 500",
    "moderator link nobody@mail.example": "no moderator",
    "moderator sign-out nobody@mail.example": "no moderator",
    "moderator disable nobody@mail.example": "no moderator",
    "moderator enable nonsense": "not an e-mail address",
    f"moderator remove {UNKNOWN_ID}": "no moderator with this id",
    f"moderator password {EMAIL}": "10 to 500",
    "site show nowhere": "no site 'nowhere'",
    "token list --moderator nobody@mail.example": "no moderator",
    "token revoke nonsense": "no such token",
    f"token revoke {UNKNOWN_ID}": "no such token",
    "token create --moderator nobody@mail.example": "no moderator",
    f"token create --moderator {EMAIL} --site nowhere": "no site 'nowhere'",
    f"token create --moderator {EMAIL}": "without a role on any site",
    f"token create --moderator {EMAIL} --site blog": "without a role on the site",
    f"token create --moderator {VIEWER} --site blog --role owner": "no more than viewer",
    f"token create --moderator {VIEWER} --site other": "without a role on the site",
    "log verify --head nonsense": "SITE:LENGTH:HASH",
    f"log verify --head nowhere:1:{bytes(32).hex()}": "no log of 'nowhere'",
}


@pytest.mark.parametrize("command", REFUSED)
def test_what_cannot_be_done_is_refused_in_one_line(blog: Operator, command: str) -> None:
    line = blog.is_refused(command, stdin="short\n")
    assert REFUSED[command] in line
    for typed in (EMAIL, "nonsense", "nobody@", "new@"):
        assert typed not in line


def test_the_demo_leaves_a_configured_database_alone(tmp_path: Path) -> None:
    url = "postgresql://localhost/precious"
    operator = Operator(tmp_path, {"GREENROOM_DATABASE_URL": url})
    assert "GREENROOM_DATABASE_URL is set" in operator.is_refused("demo", status=2)
