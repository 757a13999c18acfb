"""What an install from a checkout holds: what is there, and nothing that an earlier install left behind."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.processes import REPOSITORY

# As an installer does it (PEP 517), which has the back end from the lock: without network and in a second.
BUILD = "import importlib, sys; importlib.import_module(sys.argv[1]).build_wheel(sys.argv[2])"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Give a copy of all that an install is made from."""
    copy = tmp_path / "checkout"
    shutil.copytree(REPOSITORY / "service", copy / "service", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, copy)
    return copy


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in (folder / "service").rglob("*") if path.is_file()}


def pack(checkout: Path) -> set[str]:
    """Build the wheel that an install unpacks, and give the files of the service in it."""
    back_end = tomllib.loads((checkout / "pyproject.toml").read_text())["build-system"]
    wheels = checkout.parent / "wheels"
    wheels.mkdir(exist_ok=True)
    command = [sys.executable, "-c", BUILD, back_end["build-backend"], str(wheels)]
    subprocess.run(command, cwd=checkout, check=True, capture_output=True)
    [wheel] = wheels.iterdir()
    with ZipFile(wheel) as packed:
        return {name for name in packed.namelist() if name.startswith("service/")}


def test_an_install_holds_what_the_checkout_holds(checkout: Path) -> None:
    whole = files_of(checkout)
    gone = ["service/gone.py", "service/web/templates/gone.html"]
    gone.append("service/database/migrations/versions/0099_gone.py")
    for name in gone:
        (checkout / name).write_text("")
    assert pack(checkout) == whole | set(gone)
    # What other back ends leave, and Python itself.
    for name in gone:
        left = checkout / "build" / "lib" / name
        left.parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).rename(left)
    listed = checkout / "greenroom.egg-info" / "SOURCES.txt"
    listed.parent.mkdir(exist_ok=True)
    listed.write_text("\n".join(gone))
    compiled = checkout / "service" / "database" / "migrations" / "versions" / "__pycache__"
    compiled.mkdir()
    (compiled / "0099_gone.cpython-311.pyc").write_bytes(b"")

    assert pack(checkout) == whole
