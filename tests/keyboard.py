"""Someone who types commands: each runs in this process, where it starts at once."""

import logging
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from click.testing import CliRunner, Result

from service.command_line.main import main
from tests.processes import IMAGE_UID, find_scratch_root

URL = "https://talk.example"


class Operator:
    """Someone at a keyboard, with one installation."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = {"GREENROOM_PUBLIC_URL": URL, **environment}

    def types(self, command: str, *more: str, stdin: str = "") -> Result:
        """Run a command, given in words without blanks in them, in this process: it starts at once."""
        return type_command(self.folder, self.environment, *command.split(), *more, stdin=stdin)

    def gets(self, command: str, *more: str, stdin: str = "") -> str:
        """Run a command that has to work in silence but for its answer, and give the answer."""
        done = self.types(command, *more, stdin=stdin)
        assert (done.exit_code, done.stderr) == (0, ""), done.output
        return done.stdout.removesuffix("\n")

    def is_refused(self, command: str, *more: str, status: int = 1, stdin: str = "") -> str:
        """Run a command that has to fail with one clear line, and give the line."""
        done = self.types(command, *more, stdin=stdin)
        assert (done.exit_code, done.stdout) == (status, "")
        return only_line(done.stderr)


def type_command(
    folder: Path, environment: Mapping[str, str], *words: str, stdin: str | bytes = ""
) -> Result:
    """Run a command with its data in `folder`, and with nothing of what a developer has configured."""
    theirs: dict[str, str | None] = {name: None for name in os.environ if name.startswith("GREENROOM_")}
    ours = {"GREENROOM_DATA_DIR": str(folder / "data"), **environment}
    with logs_as_they_were():
        return CliRunner().invoke(main, words, input=stdin, env={**theirs, **ours})


def complaint(folder: Path, environment: Mapping[str, str], *words: str) -> str:
    """Type a command that finds something that has to be set right first; gives the one line it says."""
    done = type_command(folder, environment, *words)
    assert isinstance(done.exception, SystemExit), done.exception
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    return only_line(done.stderr)


def only_line(stderr: str) -> str:
    """Give the one line in which a command says no."""
    assert stderr.startswith("Error: "), stderr
    assert stderr.count("\n") == 1, stderr
    assert "Traceback" not in stderr
    return stderr.removeprefix("Error: ").strip()


@contextmanager
def logs_as_they_were() -> Iterator[None]:
    """Undo what a command sets up for its own process."""
    handlers = logging.root.handlers[:]
    levels = {logger: logger.level for logger in (logging.root, logging.getLogger("service.database"))}
    yield
    logging.root.handlers[:] = handlers
    for logger, level in levels.items():
        logger.setLevel(level)


@contextmanager
def unprivileged(folder: Path) -> Iterator[None]:
    """Act as the account of the image, which gets the folder: to root every file is open.

    Whatever is to be imported must have been: an interpreter in somebody's home is out of reach.
    """
    if os.geteuid() != 0:
        yield
        return
    _hand_over(folder)
    os.setegid(IMAGE_UID)
    os.seteuid(IMAGE_UID)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def _hand_over(folder: Path) -> None:
    """Give a folder and what is in it to the account of the image, whom pytest's own folders keep out."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, IMAGE_UID, IMAGE_UID)
    root = find_scratch_root(folder)
    for parent in folder.parents:
        if parent.stat().st_uid == os.geteuid() and parent.is_relative_to(root):
            parent.chmod(parent.stat().st_mode | stat.S_IXOTH)
