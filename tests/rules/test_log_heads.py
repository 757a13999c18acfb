"""The heads of the logs outside the database: none is lost, and none is half a line."""

from pathlib import Path

from service.clock import new_id
from service.modlog.heads import LogHeads
from service.modlog.rules import Head

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


def test_what_is_not_a_head_is_passed_over(tmp_path: Path) -> None:
    heads = LogHeads(tmp_path)
    assert heads.recall() == {}
    heads.remember(SITE, SHORT)
    folder = tmp_path / "log-heads"
    (folder / "README").write_text("What is this?")
    (folder / f"{SITE}.bak").write_bytes((folder / str(SITE)).read_bytes())
    (folder / str(new_id())).mkdir()
    (folder / str(new_id())).touch()
    (folder / str(new_id())).write_text("nine \xff\n")
    assert heads.recall() == {SITE: [SHORT]}


def test_what_is_not_a_head_is_written_over(tmp_path: Path) -> None:
    heads = LogHeads(tmp_path)
    (tmp_path / "log-heads").mkdir()
    (tmp_path / "log-heads" / str(SITE)).write_text("9 abc")
    heads.remember(SITE, SHORT)
    assert heads.recall() == {SITE: [SHORT]}
