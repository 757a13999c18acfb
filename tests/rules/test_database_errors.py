"""What is said of a database that cannot be used: its place and why, and never a password."""

import pytest

from service.command_line.database_errors import explain


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://ann:horse@host/name", 'forbidden value in "ann:horse@host"'),
        ("postgresql://ann:a%20horse@host/name", 'forbidden value in "ann:a%20horse@host"'),
        ("postgresql://ann:a%20horse@host/name", "no such thing as a horse"),
        ("postgresql://ann@host/name?password=horse", 'invalid value "horse"'),
        ("postgresql://ann@host/name?sslpassword=horse", "cannot open the key with horse"),
    ],
)
def test_words_that_hold_a_password_are_not_passed_on(url: str, words: str) -> None:
    line = explain(ValueError(words), url)
    assert "horse" not in line
    assert "ValueError" in line
    assert " name at host " in line


def test_a_password_that_everybody_sees_anyway_hides_nothing() -> None:
    words = 'database "greenroom" does not exist'
    assert words in explain(ValueError(words), "postgresql://greenroom:greenroom@host/greenroom")


def test_a_short_password_is_not_taken_for_a_part_of_a_word() -> None:
    words = "connection refused"
    assert words in explain(ValueError(words), "postgresql://ann:e@host/name")
