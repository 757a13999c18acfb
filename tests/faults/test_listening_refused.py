"""Addresses that cannot be listened on, and what is typed wrong: one line, and status 2."""

import os
import socket
from pathlib import Path

import pytest

from tests.keyboard import complaint, only_line, type_command, unprivileged
from tests.processes import ServerFailed, like_the_image
from tests.servers import run_greenroom, start_service

# From here on a port is anybody's (man 7 ip, ip_unprivileged_port_start).
LOWEST = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")


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


def test_a_port_that_is_not_for_everybody_is_named(installed: Path) -> None:
    lowest = int(LOWEST.read_text()) if LOWEST.exists() else 0
    with socket.socket() as probe, unprivileged(installed):
        try:
            probe.bind(("127.0.0.1", 81))
        except PermissionError:
            line = complaint(installed, {}, "serve", "--port", "81")
            assert "127.0.0.1:81" in line
            assert "from 1024 on" in line
            return
    pytest.skip(f"here every account may listen from port {lowest} on")


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
