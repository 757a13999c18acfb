"""Commands that cannot do what they were asked: one line that says why, and no stack trace."""

from pathlib import Path

from tests.keyboard import only_line, type_command


def test_a_site_needs_a_slug_that_can_stand_in_a_path(tmp_path: Path) -> None:
    assert type_command(tmp_path, {}, "migrate").exit_code == 0
    for slug in ("My blog", "b" * 64):
        site = ["--title", "T", "--origin", "https://b.example"]
        done = type_command(tmp_path, {}, "site", "create", slug, *site)
        assert (done.exit_code, done.stdout) == (1, "")
        assert only_line(done.stderr) == (
            "A slug has 1 to 63 lower-case letters, digits and hyphens."
        )
