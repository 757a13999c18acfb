"""What is installed to run the service is what it needs, and is as large as the docs say."""

import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

from packaging.markers import Marker

REPOSITORY = Path(__file__).parent.parent.parent
LOCK = (REPOSITORY / "requirements.lock").read_text()
# The build back end, which the Dockerfile takes out again.
[NOT_IN_IMAGE] = re.findall(r"uninstall --yes (\S+)", (REPOSITORY / "Dockerfile").read_text())
MAKE_APP = """
import sys
sys.modules.update(dict.fromkeys({names}))
from service.app import create_app
from service.settings import Settings
create_app(Settings())
"""


def read_left_out() -> set[str]:
    """Read which packages the lock leaves out though something says that it needs them."""
    return set(re.findall(r"--no-emit-package (\S+)", (REPOSITORY / "Makefile").read_text()))


def locked() -> set[str]:
    """Name every package that the lock installs on this machine."""
    lines = re.findall(r"^([\w.-]+)==[^\s;]+(?: ; (.+))? \\$", LOCK, re.MULTILINE)
    return {name for name, marker in lines if not marker or Marker(marker).evaluate()}


def test_what_is_left_out_of_the_lock_is_not_needed() -> None:
    left_out = read_left_out()
    assert NOT_IN_IMAGE in locked()
    assert left_out == {"faker", "polyfactory"}
    assert left_out & locked() == set()
    script = MAKE_APP.format(names=sorted(left_out))
    made = subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr


def test_the_packages_are_as_large_as_the_docs_say() -> None:
    size = sum(measure_mb(name) for name in locked() - {NOT_IN_IMAGE})
    page = (REPOSITORY / "docs" / "operations" / "docker.md").read_text()
    [told] = re.findall(r"(\d+) MB of packages", page)
    # Wheels for another processor or Python differ by some megabytes.
    assert abs(size - int(told)) < 10, f"{size:.0f} MB of packages, and the docs say {told}"


def measure_mb(name: str) -> float:
    """Add up what a package has installed, without the bytecode that not every machine keeps."""
    files = [Path(str(file.locate())) for file in distribution(name).files or ()]
    return sum(file.stat().st_size for file in files if is_counted(file)) / 1_000_000


def is_counted(file: Path) -> bool:
    return file.is_file() and file.suffix != ".pyc"
