"""The heads of the logs outside the database: none is lost, and none is half a line."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.clock import new_id
from service.modlog.heads import HeadsUnreadable, LogHeads, locked, replacing, write_head
from service.modlog.rules import Head
from tests.processes import wait_until

SITE = new_id()
SHORT, LONG = Head(9, b"a" * 32), Head(10_000, b"b" * 32)


def test_every_head_is_remembered(tmp_path: Path) -> None:
    heads = LogHeads(tmp_path)
    for head in (SHORT, LONG, SHORT):
        heads.remember(SITE, head)
    assert heads.recall() == {SITE: [SHORT, LONG, SHORT]}


def test_what_a_crash_left_of_a_line_is_written_over(tmp_path: Path) -> None:
    heads = LogHeads(tmp_path)
    heads.remember(SITE, SHORT)
    with (tmp_path / "log-heads" / str(SITE)).open("ab") as file:
        file.write(b"00000000000000000010 ab")
    assert heads.recall() == {SITE: [SHORT]}
    heads.remember(SITE, LONG)
    assert heads.recall() == {SITE: [SHORT, LONG]}


def test_what_has_another_name_is_passed_over(tmp_path: Path) -> None:
    heads = LogHeads(tmp_path)
    assert heads.recall() == {}
    heads.remember(SITE, SHORT)
    folder = tmp_path / "log-heads"
    (folder / "README").write_text("What is this?")
    (folder / f"{SITE}.bak").write_bytes((folder / str(SITE)).read_bytes())
    assert heads.recall() == {SITE: [SHORT]}


WHOLE = write_head(SHORT) + write_head(LONG)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "does not begin with a head"),
        (b"\0" * 172, "does not begin with a head"),
        (b"nine \xff\n", "does not begin with a head"),
        (WHOLE.decode().encode("utf-16"), "does not begin with a head"),
        (WHOLE.replace(b"\n", b"\r\n"), "does not begin with a head"),
        (WHOLE[:86] + b"x" + WHOLE[87:], "its line 2 is damaged"),
        (WHOLE + b"\0" * 20, "its last line is damaged"),
    ],
)
def test_damaged_heads_do_not_pass_for_none(tmp_path: Path, content: bytes, why: str) -> None:
    heads = LogHeads(tmp_path)
    heads.remember(SITE, SHORT)
    damaged = tmp_path / "log-heads" / str(new_id())
    damaged.write_bytes(content)
    with pytest.raises(HeadsUnreadable, match=f"{damaged}: .*{why}"):
        heads.recall()


def test_every_damaged_file_is_named_in_one_line(tmp_path: Path) -> None:
    heads = LogHeads(tmp_path)
    heads.remember(SITE, SHORT)
    folder, file = (tmp_path / "log-heads" / str(new_id()) for _ in range(2))
    folder.mkdir()
    file.touch()
    with pytest.raises(HeadsUnreadable, match="it is no file") as refused:
        heads.recall()
    assert str(folder) in str(refused.value)
    assert str(file) in str(refused.value)


def test_what_is_not_a_head_is_written_over(tmp_path: Path) -> None:
    heads = LogHeads(tmp_path)
    (tmp_path / "log-heads").mkdir()
    (tmp_path / "log-heads" / str(SITE)).write_text("9 abc")
    heads.remember(SITE, SHORT)
    assert heads.recall() == {SITE: [SHORT]}


def test_heads_that_cannot_be_read_do_not_pass_for_none(tmp_path: Path) -> None:
    (tmp_path / "log-heads").write_text("in the way")
    with pytest.raises(HeadsUnreadable, match="log-heads: Not a directory"):
        LogHeads(tmp_path).recall()


def waits_for_a_lock(inode: int) -> bool:
    """Tell whether somebody waits for the lock of a file. Linux only."""
    return bool(re.search(rf"-> FLOCK .*:{inode} ", Path("/proc/locks").read_text()))


def test_a_head_is_not_lost_in_a_file_that_was_replaced_meanwhile(tmp_path: Path) -> None:
    heads = LogHeads(tmp_path)
    heads.remember(SITE, SHORT)
    path = heads.file_of(SITE)
    with ThreadPoolExecutor(1) as others:
        with locked(path) as file:
            waiting = others.submit(heads.remember, SITE, LONG)
            wait_until(lambda: waits_for_a_lock(path.stat().st_ino), "the other to wait")
            with replacing(path, file) as draft:
                draft.write(write_head(SHORT))
        waiting.result()
    assert heads.recall() == {SITE: [SHORT, LONG]}


def test_heads_that_are_set_aside_are_kept_and_not_read(tmp_path: Path) -> None:
    heads = LogHeads(tmp_path)
    for head in (SHORT, LONG, SHORT):
        heads.remember(SITE, head)
    aside = heads.set_aside(SITE, [LONG], "old")
    assert heads.recall() == {SITE: [SHORT, SHORT]}
    assert heads.file_of(SITE).stat().st_mode & 0o777 == 0o600
    assert heads.set_aside(SITE, [SHORT], "old") == aside
    # An empty file would be one that lost its heads.
    assert not heads.file_of(SITE).exists()
    assert heads.recall() == {}
    assert aside.read_bytes() == b"".join(map(write_head, (LONG, SHORT, SHORT)))
    assert aside.stat().st_mode & 0o777 == 0o600
