"""Redis as compose.yaml starts it: nobody without the password, and no password where others see it."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.processes import REPOSITORY, Server, bound_to_us, find_free_port, running
from tests.servers import find_program, redis_answers

PASSWORD = "0123456789abcdef" * 4
REDIS = yaml.safe_load((REPOSITORY / "compose.yaml").read_text())["services"]["redis"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = Path(find_program("redis-server")).parent
    port = find_free_port()
    shell, option, script = REDIS["command"]
    script = script.replace("$$", "$").replace(" - ", f" - --bind 127.0.0.1 --port {port} ", 1)
    server = Server(
        [*bound_to_us(), shell, option, script],
        url=f"redis://:{PASSWORD}@127.0.0.1:{port}/0",
        log_file=tmp_path / "log",
        answers=redis_answers,
        environment={"PATH": f"{folder}:{os.environ['PATH']}", "REDISCLI_AUTH": PASSWORD},
    )
    with running(server):
        yield server
    # The signal reached Redis itself, and not a shell around it that would not pass it on.
    assert "User requested shutdown" in server.log_text()


def check(server: Server, password: str) -> subprocess.CompletedProcess[str]:
    """Run the health check."""
    kind, program, *options = REDIS["healthcheck"]["test"]
    assert (kind, REDIS["environment"]) == ("CMD", {"REDISCLI_AUTH": "${REDIS_PASSWORD}"})
    port = server.url.rpartition(":")[2].partition("/")[0]
    return subprocess.run(
        [program, "-p", port, *options],
        env={**os.environ, "REDISCLI_AUTH": password},
        capture_output=True,
        text=True,
        check=False,
    )


def test_only_who_knows_the_password_is_served(server: Server) -> None:
    assert check(server, PASSWORD).returncode == 0
    assert check(server, "wrong").returncode != 0
    assert check(server, "").returncode != 0
    assert PASSWORD not in Path(f"/proc/{server.pid}/cmdline").read_text()
