"""An answer that has nowhere to go: what only the answer could show is not made, and the status says so."""

import os
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from tests.keyboard import Operator, only_line
from tests.processes import REPOSITORY

EMAIL = "alice@moderators.example"
TOKEN = f"token create --moderator {EMAIL}"
LINK = f"moderator link {EMAIL}"
ACCOUNT = "moderator create erin@moderators.example --name Erin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of an installation of which Alice is the admin."""
    operator = Operator(tmp_path_factory.mktemp("installed"), {})
    operator.gets("migrate")
    created = f"moderator create {EMAIL} --name Alice --admin --password-stdin"
    operator.gets(created, stdin="correct horse battery\n")
    return operator.folder


@pytest.fixture
def alice(installed: Path, tmp_path: Path) -> Operator:
    """Give an operator with a copy of that installation."""
    shutil.copytree(installed, tmp_path, dirs_exist_ok=True)
    return Operator(tmp_path, {})


def run(operator: Operator, command: str, redirection: str, **more: str) -> tuple[int, str]:
    """Run a command with standard output as a shell has it; gives status and standard error."""
    words = ["sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, "-m", "service"]
    data = {"GREENROOM_DATA_DIR": str(operator.folder / "data"), **operator.environment, **more}
    done = subprocess.run(
        [*words, *command.split()],
        env={"PATH": os.environ["PATH"], **data},
        cwd=REPOSITORY,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
@pytest.mark.parametrize(
    ("command", "redirection", "buffering"),
    [
        # Each two of these meet once; all combinations do in the second command.
        pytest.param(*one, marks=() if sum(place) % 2 else pytest.mark.more)
        for one, place in zip(
            product([TOKEN, LINK, ACCOUNT], [">&-", ">/dev/full"], [{}, {"PYTHONUNBUFFERED": "1"}]),
            product(range(3), range(2), range(2)),
            strict=True,
        )
    ],
)
def test_what_nobody_could_see_is_not_made(
    alice: Operator, command: str, redirection: str, buffering: dict[str, str]
) -> None:
    before = [alice.gets("token list"), alice.gets("moderator list"), alice.gets("log verify")]
    status, said = run(alice, command, redirection, **buffering)
    assert status == 2
    assert "tandard output" in only_line(said)
    after = [alice.gets("token list"), alice.gets("moderator list"), alice.gets("log verify")]
    assert after == before


def test_a_reader_who_has_seen_enough_is_no_finding(alice: Operator) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    os.set_inheritable(writer, True)
    words = [sys.executable, "-m", "service", "log", "verify"]
    data = {"GREENROOM_DATA_DIR": str(alice.folder / "data"), **alice.environment}
    done = subprocess.run(words, env=data, cwd=REPOSITORY, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_what_is_asked_of_nobody_is_refused(alice: Operator) -> None:
    assert alice.is_refused("token list --moderator", "")


def test_what_came_of_an_account_is_said_as_it_is(alice: Operator) -> None:
    alice.gets("site create blog --title Blog --origin https://blog.example")
    alice.gets("moderator create bob@moderators.example --name Bob")
    again = "moderator create bob@moderators.example --name Bob --site blog --role viewer"
    assert alice.gets(again) == "Bob has no password, and is viewer of blog."
    alice.gets("moderator disable bob@moderators.example")
    assert alice.gets(again) == "Bob is disabled, and is viewer of blog."
