"""A disk that takes no more: what was asked for is done as far as it can be, and somebody is told."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cast import House
from tests.disks import SmallDisk
from tests.keyboard import complaint, only_line, type_command
from tests.processes import REPOSITORY

SITE = ["site", "create", "blog", "--title", "Blog", "--origin", "https://blog.example"]


async def test_a_head_that_cannot_be_written_is_counted_and_the_decision_stands(
    house: House,
) -> None:
    comment = await house.submit()
    heads = house.settings.data_dir / "log-heads"
    heads.rename(heads.with_name("elsewhere"))
    # What is not a folder takes no file, whoever asks; root may write to any that is one.
    heads.write_text("in the way")
    [result] = await house.approve(comment.id)
    assert result.status == "approved"
    assert (await house.read()).count == 1
    metrics = (await house.client("127.0.0.1").get("/metrics")).text
    assert "greenroom_log_head_failures_total 1.0" in metrics


@pytest.mark.parametrize("spare_kib", [0, 4, 16, 64, 128])
def test_a_migration_without_room_is_a_mistake_to_set_right(disk: SmallDisk, spare_kib: int) -> None:
    disk.fill(spare_kib * 1024)
    line = complaint(disk.folder, {}, "migrate")
    assert "full" in line or "No space left on device" in line
    disk.clear()
    assert type_command(disk.folder, {}, "migrate").exit_code == 0


@pytest.mark.parametrize("command", [["migrate"], SITE, ["log", "verify"]])
def test_a_command_without_room_says_that_the_disk_may_be_full(disk: SmallDisk, command: list[str]) -> None:
    assert type_command(disk.folder, {}, "migrate").exit_code == 0
    disk.fill()
    assert "full" in complaint(disk.folder, {}, *command)
    disk.clear()
    assert type_command(disk.folder, {}, *command).exit_code == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
@pytest.mark.parametrize("command", ["migrate", "--help", "site --help", "--version"])
def test_an_answer_that_cannot_be_written_is_told(tmp_path: Path, command: str) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "service", *command.split()],
            env={"GREENROOM_DATA_DIR": str(tmp_path / "data")},
            cwd=REPOSITORY,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert "standard output: No space left on device" in only_line(done.stderr)
    # What the answer would have been about is done.
    assert (tmp_path / "data").exists() == (command == "migrate")
