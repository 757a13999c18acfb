"""What tests of the API and of the command line share."""

from pathlib import Path

import pytest

from tests.keyboard import Operator


@pytest.fixture(params=["sqlite", "postgresql"])
def operator(request: pytest.FixtureRequest, tmp_path: Path) -> Operator:
    """Give an operator who has installed nothing yet, on either database."""
    if request.param == "sqlite":
        return Operator(tmp_path, {})
    url: str = request.getfixturevalue("postgres_url")
    return Operator(tmp_path, {"GREENROOM_DATABASE_URL": url})
