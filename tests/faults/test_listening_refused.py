"""Addresses that cannot be listened on, and what is typed wrong: one line, and status 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.keyboard import complaint, only_line, type_command
from tests.processes import REPOSITORY, ServerFailed, like_the_image
from tests.servers import run_greenroom, service_environment, start_service


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an installation that would serve."""
    folder = tmp_path_factory.mktemp("installed")
    assert type_command(folder, {}, "migrate").exit_code == 0
    return folder


# What is typed behind `serve`, and what the line says.
MISTAKES = {
    "--port 99999": "--port",
    "--port 0": "--port",
    "--port -1": "--port",
    "--port http": "--port",
    "--workers 0": "--workers",
    "--workers 2": "GREENROOM_REDIS_URL",
    "--host no.such.host.invalid": "no.such.host.invalid",
    # For documentation (RFC 5737), and so no machine's.
    "--host 192.0.2.1": "192.0.2.1:8000",
    "--host ::1::": "::1::",
    "--prot 8000": "--prot",
    "now": "now",
}


@pytest.mark.parametrize("typed", MISTAKES)
def test_what_is_typed_wrong_is_named(installed: Path, typed: str) -> None:
    assert MISTAKES[typed] in complaint(installed, {}, "serve", *typed.split())


@pytest.mark.parametrize("typed", ["sreve", "--colour", "site create", "demo --port 99999"])
def test_so_it_is_with_other_commands(tmp_path: Path, typed: str) -> None:
    assert "--help" in complaint(tmp_path, {}, *typed.split())


def test_a_taken_port_is_named(installed: Path, taken_port: str) -> None:
    # A process of its own, which shows that nothing else is said.
    done = run_greenroom(installed, {}, "serve", "--port", taken_port)
    assert (done.returncode, done.stdout) == (2, "")
    line = only_line(done.stderr)
    assert f"127.0.0.1:{taken_port}: Address already in use" in line
    line = complaint(installed, {}, "serve", "--host", "localhost", "--port", taken_port)
    assert f"localhost:{taken_port}: Address already in use" in line


def test_the_demo_prints_no_link_to_what_others_serve(
    tmp_path: Path, taken_port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert f"127.0.0.1:{taken_port}" in complaint(tmp_path, {}, "demo", "--port", taken_port)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a network of its own")
def test_a_port_that_is_not_for_everybody_is_named(tmp_path: Path) -> None:
    assert type_command(tmp_path, {}, "migrate").exit_code == 0
    # Here every port may be everybody's (man 7 ip, ip_unprivileged_port_start), in a new network it is not.
    alone = ["unshare", "--net", "sh", "-euc", 'ip link set lo up; exec "$@"', "sh"]
    serve = [sys.executable, "-m", "service", "serve", "--port", "81"]
    done = subprocess.run(
        [*alone, *like_the_image(tmp_path), *serve],
        env=service_environment(tmp_path, {}),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    line = only_line(done.stderr)
    assert "127.0.0.1:81" in line
    assert "from 1024 on" in line


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take the temporary folders away")
def test_workers_without_a_temporary_folder_say_what_to_set(tmp_path: Path) -> None:
    assert type_command(tmp_path, {}, "migrate").exit_code == 0
    alone = {"GREENROOM_REDIS_URL": "redis://127.0.0.1:1/0"}
    prefix = like_the_image(tmp_path)
    with (
        pytest.raises(ServerFailed) as failed,
        start_service(tmp_path, alone, "--workers", "2", prefix=prefix),
    ):
        pytest.fail("it serves")
    said = str(failed.value).partition("ended:\n")[2]
    assert "set TMPDIR to a folder" in only_line(said)
