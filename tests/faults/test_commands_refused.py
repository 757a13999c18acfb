"""Commands that cannot do what they were asked: one line that says why, and no stack trace."""

from pathlib import Path

from tests.servers import run_greenroom


def test_a_database_that_does_not_open_is_one_line_for_the_person_at_the_keyboard(
    tmp_path: Path,
) -> None:
    for database_url, why in (
        (f"sqlite:///{tmp_path}/missing/greenroom.sqlite3", "There is no database at "),
        # Nothing listens on port 1.
        (
            "postgresql://greenroom:correct-horse@127.0.0.1:1/greenroom",
            "The database does not open: ",
        ),
    ):
        answer = run_greenroom(tmp_path, {"GREENROOM_DATABASE_URL": database_url}, "serve")
        assert answer.returncode == 1
        [line] = answer.stderr.splitlines()
        assert line.startswith(f"Error: {why}")
        assert "correct-horse" not in line


def test_a_site_needs_a_slug_that_can_stand_in_a_path(tmp_path: Path) -> None:
    assert run_greenroom(tmp_path, {}, "migrate").returncode == 0
    for slug in ("My blog", "b" * 64):
        answer = run_greenroom(
            tmp_path, {}, "site", "create", slug, "--title", "T", "--origin", "https://b.example"
        )
        assert answer.returncode == 1
        assert answer.stderr == (
            "Error: A slug has 1 to 63 lower-case letters, digits and hyphens.\n"
        )
