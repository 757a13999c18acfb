"""What a machine lacks skips a test there, and fails it in CI."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import REPOSITORY

pytestmark = pytest.mark.more

TESTS = """
import pytest
from tests.processes import ServerMissing


def test_that_is_skipped():
    pytest.skip("not here")


@pytest.mark.skipif(True, reason="not here")
def test_that_is_marked():
    pass


@pytest.fixture
def server():
    raise ServerMissing("no such program")


def test_without_its_server(server):
    pass
"""


@pytest.mark.parametrize(
    ("environment", "status", "told"),
    [({}, 0, "3 skipped"), ({"CI": "true"}, 1, "1 failed, 2 errors")],
)
def test_what_is_skipped_fails_in_ci(
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
