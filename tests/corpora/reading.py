"""Where the real data lies that some tests read; it is outside the repo and may be absent."""

import os
from pathlib import Path

import pytest

_BESIDE_THE_REPO = Path(__file__).parents[2] / ".." / "shared" / "data"


def find_corpus(path: str) -> Path:
    """Give a file or folder of the corpora; without it the test is skipped, and in CI it fails."""
    found = Path(os.environ.get("GREENROOM_CORPORA") or _BESIDE_THE_REPO) / path
    if not found.exists():
        message = (
            f"The corpus {path} is not there; set GREENROOM_CORPORA to the folder that has it."
        )
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found
