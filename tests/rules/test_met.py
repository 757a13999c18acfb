"""What a run of the tests has met can be compared with what another one has met."""

import pytest

from tests.met import normalise


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT a\n  FROM b WHERE c IN (?, ?, ?)", "SELECT a FROM b WHERE c IN (?)"),
        (
            "UPDATE b SET a=%(a)s::VARCHAR WHERE c IN (%(c_1_1)s::UUID, %(c_1_2)s::UUID)",
            "UPDATE b SET a=?::VARCHAR WHERE c IN (?::UUID)",
        ),
        (
            "INSERT INTO b (a, c) VALUES (?, ?), (?, ?), (?, ?)",
            "INSERT INTO b (a, c) VALUES (?)",
        ),
        ("RELEASE SAVEPOINT sa_savepoint_12", "RELEASE SAVEPOINT sa_savepoint_0"),
        ("SELECT c_1.a FROM c AS c_1 LIMIT 20", "SELECT c_1.a FROM c AS c_1 LIMIT 0"),
    ],
)
def test_a_statement_is_the_same_whatever_its_parameters(statement: str, said: str) -> None:
    assert normalise(statement) == said
