"""Commands that cannot do what they were asked: one line that says why, and no stack trace."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.keyboard import complaint, only_line, type_command
from tests.processes import HEARS_CTRL_C, REPOSITORY, bound_to_us

EMAIL = "alice@moderators.example"
SITE = ["site", "create", "new", "--title", "New", "--origin", "https://new.example"]
MODERATOR = ["moderator", "create", "new@mail.example", "--name", "New"]
TOKEN = ["token", "create", "--moderator", EMAIL, "--name", "New"]
# A byte that begins nothing in UTF-8, as Python gets it from the command line.
BYTE = "\udcff"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an installation with a site and a moderator."""
    folder = tmp_path_factory.mktemp("installed")
    site = ["site", "create", "blog", "--title", "Blog", "--origin", "https://b.example"]
    for words in (["migrate"], site, ["moderator", "create", EMAIL, "--name", "Alice"]):
        assert type_command(folder, {}, *words).exit_code == 0
    return folder


def refusal(folder: Path, *words: str, stdin: str | bytes = "") -> str:
    """Type a command that is understood and cannot be done; gives the one line it says."""
    done = type_command(folder, {}, *words, stdin=stdin)
    assert isinstance(done.exception, SystemExit), done.exception
    assert (done.exit_code, done.stdout) == (1, ""), done.output
    return only_line(done.stderr)


def look_at(folder: Path) -> list[list[object]]:
    """Give all that is kept of sites, moderators and tokens."""
    with sqlite3.connect(folder / "data" / "greenroom.sqlite3") as database:
        tables = ("site", "site_origin", "moderator", "bearer_token")
        rows = [database.execute(f"SELECT * FROM {table}").fetchall() for table in tables]
    database.close()
    return rows


@pytest.fixture
def unchanged(installed: Path) -> Iterator[Path]:
    """Give the installation, and hold what is kept in it to what it was."""
    before = look_at(installed)
    yield installed
    assert look_at(installed) == before


def instead_of(words: Sequence[str], old: str, new: str) -> list[str]:
    return [new if word == old else word for word in words]


def test_a_site_needs_a_slug_that_can_stand_in_a_path(unchanged: Path) -> None:
    for slug in ("My blog", "b" * 64):
        line = refusal(unchanged, *instead_of(SITE, "new", slug))
        said = "This has to be a slug: 1 to 63 lower-case letters, digits and hyphens."
        assert line == f"slug: {said}"


def test_all_that_is_wrong_with_a_site_is_told_in_one_line(unchanged: Path) -> None:
    made = refusal(unchanged, "site", "create", "My blog", "--title", "", "--origin", "nope")
    pairs = ["title=", "origins=nope", "colour=red", "reason.A B=x", "max_depth=-1"]
    changed = refusal(unchanged, "site", "set", "blog", *pairs)
    for line, names in (
        (made, ["slug", "title", "origins/0"]),
        (changed, ["title", "origins/0", "colour", "reason.A B", "max_depth"]),
    ):
        assert [name for name in names if f"{name}: " not in line] == []


# What is typed that a request could not say either, and what the line says.
BOUNDS = {
    "no title": (instead_of(SITE, "New", ""), "title: "),
    "long title": (instead_of(SITE, "New", "t" * 201), "title: "),
    "title of line ends": (instead_of(SITE, "New", "\n\n"), "title: "),
    "title that rings a bell": (instead_of(SITE, "New", "\a"), "title: "),
    "port of no host": (
        instead_of(SITE, "https://new.example", "https://new.example:99999"),
        "1 to 65535",
    ),
    "long origin": (instead_of(SITE, "https://new.example", "https://" + "o" * 300), "origins/0: "),
    "no name": (instead_of(MODERATOR, "New", ""), "name: "),
    "long name": (instead_of(MODERATOR, "New", "n" * 101), "name: "),
    "name that nobody sees": (instead_of(MODERATOR, "New", "\u200b\u2800"), "name: "),
    "no token name": (instead_of(TOKEN, "New", ""), "name: "),
    "long token name": (instead_of(TOKEN, "New", "n" * 101), "name: "),
    "no new title": (["site", "set", "blog", "title="], "title: "),
    "long new title": (["site", "set", "blog", "title=" + "t" * 201], "title: "),
    "many origins": (["site", "set", "blog", "origins=" + "," * 50], "origins: "),
    "many digits": (["site", "set", "blog", "max_depth=" + "9" * 5_000], "max_depth: "),
    "minus": (
        ["site", "set", "blog", "max_depth=-1"],
        "max_depth: This has to be a whole number from 0",
    ),
}


@pytest.mark.parametrize("mistake", BOUNDS)
def test_texts_have_the_bounds_that_they_have_by_the_api(unchanged: Path, mistake: str) -> None:
    words, why = BOUNDS[mistake]
    assert why in refusal(unchanged, *words)


def test_a_head_that_a_script_lost_is_not_left_out(unchanged: Path) -> None:
    assert "SITE:LENGTH:HASH" in refusal(unchanged, "log", "verify", "--head", "")


# Each place at which a text is typed.
TEXTS = [
    instead_of(SITE, "new", BYTE),
    instead_of(SITE, "New", f"b{BYTE}"),
    instead_of(SITE, "https://new.example", f"https://new{BYTE}.example"),
    ["site", "set", "blog", f"reason.off_topic=b{BYTE}"],
    ["site", "set", "blog", f"title=b{BYTE}"],
    ["site", "set", "blog", "max_depth=3", f"form.text_field={BYTE}"],
    ["site", "set", BYTE, "max_depth=3"],
    instead_of(MODERATOR, "new@mail.example", f"new{BYTE}@mail.example"),
    instead_of(MODERATOR, "New", BYTE),
    [*MODERATOR, "--site", BYTE],
    ["moderator", "link", f"{BYTE}{EMAIL}"],
    instead_of(TOKEN, "New", BYTE),
    instead_of(TOKEN, EMAIL, BYTE),
    ["log", "verify", "--head", f"blog{BYTE}:1:{'0' * 64}"],
    ["serve", "--host", f"127.0.0.1{BYTE}"],
]


@pytest.mark.parametrize("words", TEXTS, ids=[f"{number}" for number, _ in enumerate(TEXTS)])
def test_bytes_that_are_no_text_are_refused_wherever_text_is_typed(unchanged: Path, words: list[str]) -> None:
    assert "no UTF-8" in complaint(unchanged, {}, *words)


def test_a_file_may_have_any_name(tmp_path: Path) -> None:
    page = os.fsencode(tmp_path) + b"/page\xff.html"
    with open(page, "wb") as file:
        file.write(b"<p>Nothing</p>")
    done = type_command(tmp_path, {}, "site", "scan-form", os.fsdecode(page))
    assert (done.exit_code, done.stderr) == (1, "")


@pytest.mark.parametrize(
    ("piped", "status", "why"),
    [
        (b"a password \xff", 2, "no UTF-8"),
        (b"a password \x00", 1, "no NUL"),
        (b"p" * 100_000, 1, "10 to 500"),
        (("p" + "\N{GRINNING FACE}" * 501).encode(), 1, "10 to 500"),
        (b"\n", 1, "10 to 500"),
        (b"", 2, "is empty or closed"),
    ],
)
def test_a_password_that_is_none_is_refused(unchanged: Path, piped: bytes, status: int, why: str) -> None:
    done = type_command(unchanged, {}, *MODERATOR, "--password-stdin", stdin=piped)
    assert done.exit_code == status
    assert why in only_line(done.stderr)


def test_a_password_may_be_as_long_in_any_script(tmp_path: Path) -> None:
    assert type_command(tmp_path, {}, "migrate").exit_code == 0
    for name, password in (("a", "\N{GRINNING FACE}" * 500), ("b", "ä" * 10)):
        words = instead_of(MODERATOR, "new@mail.example", f"{name}@mail.example")
        done = type_command(tmp_path, {}, *words, "--password-stdin", stdin=f"{password}\r\n")
        assert done.stdout == "New can sign in.\n", done.output


def test_a_password_cannot_come_from_an_input_that_is_closed(unchanged: Path) -> None:
    typed = [sys.executable, "-m", "service", *MODERATOR, "--password-stdin"]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *typed],
        env={"PATH": os.environ["PATH"], "GREENROOM_DATA_DIR": str(unchanged / "data")},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "is empty or closed" in only_line(done.stderr)


# Stops where the service is imported, and says so.
HALFWAY = """
import signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "service.app":
            print("importing", flush=True)
            signal.pause()
sys.meta_path.insert(0, Finder())
"""


def test_ctrl_c_at_the_very_beginning_is_an_end_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(HALFWAY)
    with subprocess.Popen(
        [*bound_to_us(), *HEARS_CTRL_C, sys.executable, "-m", "service", "migrate"],
        env={"PYTHONPATH": str(tmp_path)},
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "importing\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate() == ("", "")
    assert process.returncode == -signal.SIGINT
