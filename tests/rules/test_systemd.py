"""The unit for systemd can be read, leaves the service little, and gives it the time that it needs."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from service.environment import PREFIX
from service.server.workers import Deadlines
from service.settings import Settings, load_settings
from tests.processes import REPOSITORY
from tests.servers import find_program

OPERATIONS = REPOSITORY / "docs" / "operations"
UNIT = (OPERATIONS / "greenroom@.service").read_text()
ENVIRONMENT = (OPERATIONS / "greenroom.env").read_text()
# What systemd-analyze calls exposed, times ten: 15 is `OK`, below half of what it calls medium.
MOST_EXPOSED = 15


@pytest.fixture
def unit(tmp_path: Path) -> str:
    """Give the unit of one process, with a program that is on this machine."""
    file = tmp_path / "greenroom@8000.service"
    file.write_text(UNIT.replace("/opt/greenroom/bin/greenroom", find_program("true")))
    return str(file)


def analyze(*arguments: str) -> str:
    program = find_program("systemd-analyze")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


def read_setting(name: str) -> str:
    [value] = re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)
    return str(value)


def read_environment(text: str) -> dict[str, str]:
    """Read the file as a shell and systemd do."""
    return dict(pair.split("=", 1) for line in text.splitlines() for pair in shlex.split(line, True))


def test_systemd_can_read_it(unit: str) -> None:
    # It says on standard error what it does not know, and goes on.
    assert analyze("verify", "--man=no", unit) == ""


def test_it_leaves_the_service_little(unit: str) -> None:
    analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", unit)


def test_a_process_has_time_to_end() -> None:
    seconds = int(read_setting("TimeoutStopSec").removesuffix("s"))
    assert seconds > Deadlines.of(Settings().drain_seconds).stop_seconds


def test_only_the_parent_is_told_to_end() -> None:
    """A second signal ends a worker without draining, and its parent sends one."""
    assert read_setting("KillMode") == "mixed"


def test_the_example_of_an_environment_can_be_used_as_it_is_and_with_all_that_it_offers() -> None:
    everything = re.sub(r"^#(?=[A-Z_]+=)", "", ENVIRONMENT, flags=re.MULTILINE)
    for text in (ENVIRONMENT, everything):
        given = read_environment(text)
        ours = {name for name in given if name.startswith(PREFIX)}
        assert ours <= {PREFIX + name.upper() for name in Settings.__struct_fields__}
        settings = load_settings(given)
        assert str(settings.data_dir) == f"/var/lib/{read_setting('StateDirectory')}"
        assert settings.is_https
    assert set(given) - ours == {"SERVE_OPTIONS"}
    assert read_setting("ExecStart").endswith(" serve --port %i $SERVE_OPTIONS")
    assert read_setting("EnvironmentFile") in ENVIRONMENT


def test_each_value_of_the_example_is_quoted_so_that_a_shell_leaves_it_as_it_is() -> None:
    lines = re.findall(r"^#?([A-Z_]+=.*)$", ENVIRONMENT, re.MULTILINE)
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[A-Z_]+='[^']*'", line)] == []


def test_what_a_shell_takes_for_its_own_reaches_a_command(tmp_path: Path) -> None:
    """The file is read as the function in systemd.md reads it."""
    assert "set -a; . /etc/greenroom/greenroom.env" in (OPERATIONS / "systemd.md").read_text()
    url = 'postgresql:///greenroom?host=/run/$a;b&user=(c)&password=`d`"%27'
    name = "GREENROOM_DATABASE_URL"
    file = tmp_path / "greenroom.env"
    file.write_text(
        re.sub(rf"^#{name}='[^']*'$", lambda _: f"{name}='{url}'", ENVIRONMENT, flags=re.MULTILINE)
    )
    read = ["sh", "-c", 'set -a; . "$0"; exec printenv GREENROOM_DATABASE_URL', str(file)]
    done = subprocess.run(read, capture_output=True, text=True, check=True)
    assert done.stdout == f"{url}\n"
    assert read_environment(file.read_text())[name] == url
