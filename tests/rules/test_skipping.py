"""What a machine lacks skips a test there; in CI it fails, unless no installation would bring it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import REPOSITORY

pytestmark = pytest.mark.more

TESTS = """
import pytest
from tests.processes import RightMissing, ServerMissing


def test_without_its_corpus():
    pytest.skip("not here")


def test_without_root():
    raise RightMissing("only root")


@pytest.fixture
def server():
    raise ServerMissing("no such program")


def test_without_its_server(server):
    pass
"""


@pytest.mark.parametrize(
    ("environment", "status", "told"),
    [({}, 0, "3 skipped"), ({"CI": "true"}, 1, "2 skipped, 1 error")],
)
def test_what_lacks_a_server_fails_in_ci(
    tmp_path: Path, environment: dict[str, str], status: int, told: str
) -> None:
    file = tmp_path / "test_it.py"
    file.write_text(TESTS)
    ours = {name: value for name, value in os.environ.items() if name != "CI"}
    options = ["-p", "tests.conftest", "-ra", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(file)],
        cwd=REPOSITORY,
        env={**ours, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout
    assert told in done.stdout.splitlines()[-1]
    assert "no such program" in done.stdout
