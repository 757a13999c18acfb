"""A data directory or a database's file that cannot be worked with: one line that names it, and status 2."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.keyboard import complaint, type_command, unprivileged

COMMANDS = {
    "serve": ["serve"],
    "migrate": ["migrate"],
    "site create": [
        "site",
        "create",
        "blog",
        "--title",
        "Blog",
        "--origin",
        "https://blog.example",
    ],
    "log verify": ["log", "verify"],
}
DATABASE = "greenroom.sqlite3"
Spoil = Callable[[Path], object]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, taken_port: str) -> Path:
    """Give an installation with a site, of which each test spoils a copy."""
    folder = tmp_path_factory.mktemp("installed")
    for words in (["migrate"], COMMANDS["site create"]):
        assert type_command(folder, {}, *words).exit_code == 0
    # All that a command imports has been imported when another account runs it.
    assert taken_port in complaint(folder, {}, "serve", "--port", taken_port)
    with sqlite3.connect(folder / "data" / DATABASE) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return folder


@pytest.fixture
def copy(installed: Path) -> Iterator[Path]:
    """Give a copy of the installation, in a folder that every account can reach."""
    with TemporaryDirectory(prefix="greenroom-") as folder:
        yield shutil.copytree(installed, Path(folder), dirs_exist_ok=True)


def complain(copy: Path, command: str, taken_port: str) -> str:
    port = ["--port", taken_port] if command == "serve" else []
    with unprivileged(copy):
        return complaint(copy, {}, *COMMANDS[command], *port)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_by_file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("in the way")


def write_over(path: Path) -> None:
    """Write over all but the first page."""
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))


# What is done to which path below the data directory, and what the line says beside the path.
MISTAKES: dict[str, tuple[str, Spoil, str]] = {
    "data directory unreadable": ("", lambda path: path.chmod(0o300), "chmod u+rwX"),
    "data directory not to be entered": ("", lambda path: path.chmod(0o600), "chmod u+rwX"),
    "data directory not to be written": ("", lambda path: path.chmod(0o500), "chmod u+rwX"),
    "data directory open to others": ("", lambda path: path.chmod(0o755), "chmod o="),
    "data directory to be passed by others": ("", lambda path: path.chmod(0o701), "chmod o="),
    "data directory a file": ("", replace_by_file, "no folder"),
    "database nonsense": (DATABASE, lambda path: path.write_bytes(b"nonsense" * 999), "no"),
    "database cut short": (DATABASE, lambda path: path.write_bytes(path.read_bytes()[:9999]), ""),
    "database written over": (DATABASE, write_over, "malformed"),
    "database a folder": (DATABASE, replace_by_folder, "is no file"),
    "database unreadable": (DATABASE, lambda path: path.chmod(0), "chmod u+rwX"),
    "database not to be written": (DATABASE, lambda path: path.chmod(0o400), "chmod u+rwX"),
    "key unreadable": ("secret.key", lambda path: path.chmod(0), "Permission denied"),
    "key a folder": ("secret.key", replace_by_folder, "Is a directory"),
    "key gone": ("secret.key", Path.unlink, "Put the key back"),
    "key empty": ("secret.key", lambda path: path.write_text(""), "at least 32 characters"),
    "key no text": ("secret.key", lambda path: path.write_bytes(b"\xff" * 64), "not plain text"),
    "key another": ("secret.key", lambda path: path.write_text("k" * 40), "is not the one"),
    "heads unreadable": ("log-heads", lambda path: path.chmod(0), "chmod u+rwX"),
    "heads a file": ("log-heads", replace_by_file, "no folder"),
}


@pytest.mark.parametrize("command", ["serve", "migrate"])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_cannot_be_worked_with_is_named(copy: Path, taken_port: str, command: str, mistake: str) -> None:
    name, spoil, why = MISTAKES[mistake]
    path = copy / "data" / name
    spoil(path)
    line = complain(copy, command, taken_port)
    assert why in line
    if mistake != "key another":
        assert str(path) in line


@pytest.mark.parametrize("command", ["site create", "log verify"])
@pytest.mark.parametrize("mistake", ["data directory open to others", "database nonsense"])
def test_other_commands_say_the_same(copy: Path, taken_port: str, command: str, mistake: str) -> None:
    name, spoil, why = MISTAKES[mistake]
    spoil(copy / "data" / name)
    assert why in complain(copy, command, taken_port)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_head_that_another_account_wrote_is_named(copy: Path, taken_port: str, command: str) -> None:
    [head, *_] = (copy / "data" / "log-heads").iterdir()
    head.chmod(0)
    assert str(head) in complain(copy, command, taken_port)


def test_damaged_heads_do_not_pass_for_heads_that_fit(copy: Path, taken_port: str) -> None:
    [head, *_] = (copy / "data" / "log-heads").iterdir()
    head.write_bytes(b"")
    assert f"{head}: it does not begin with a head" in complain(copy, "log verify", taken_port)


@pytest.mark.parametrize("command", ["serve", "site create"])
def test_without_a_database_each_command_names_the_one_that_makes_it(
    tmp_path: Path, taken_port: str, command: str
) -> None:
    line = complain(tmp_path, command, taken_port)
    assert str(tmp_path / "data" / DATABASE) in line
    assert "greenroom migrate" in line
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("place", ["/proc/greenroom", "/etc/passwd/greenroom"])
def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path, place: str) -> None:
    line = complaint(tmp_path, {"GREENROOM_DATA_DIR": place}, "migrate")
    assert f"{place} cannot be made" in line
    assert "GREENROOM_DATA_DIR" in line


def test_a_link_to_nowhere_is_no_data_directory(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("nowhere")
    for place in (link, link / "data"):
        line = complaint(tmp_path, {"GREENROOM_DATA_DIR": str(place)}, "migrate")
        assert f"{link} is a link to nowhere, which is not there" in line


def test_links_in_a_circle_and_names_that_are_too_long_are_named(tmp_path: Path) -> None:
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    for place, why in ((circle, "symbolic links"), (tmp_path / ("x" * 300), "name too long")):
        line = complaint(tmp_path, {"GREENROOM_DATA_DIR": str(place)}, "migrate")
        assert why in line
        assert "Name another one in GREENROOM_DATA_DIR" in line


def test_a_key_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = "/proc/greenroom/key"
    assert file in complaint(tmp_path, {"GREENROOM_SECRET_KEY_FILE": file}, "migrate")


def test_a_group_may_share_the_data_directory(copy: Path) -> None:
    (copy / "data").chmod(0o2770)
    with unprivileged(copy):
        assert type_command(copy, {}, "log", "verify").exit_code == 0
