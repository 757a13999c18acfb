"""What the tests of accounts share."""

import pytest

from service.accounts import passwords
from tests.api.accounts.hashing import CountingHasher


@pytest.fixture
def hasher(monkeypatch: pytest.MonkeyPatch) -> CountingHasher:
    """Count the passwords that the service hashes from here on."""
    counting = CountingHasher(passwords._HASHER)
    monkeypatch.setattr(passwords, "_HASHER", counting)
    return counting
