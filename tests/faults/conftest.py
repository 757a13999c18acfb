"""What tests of commands that are refused share."""

import socket
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def taken_port() -> Iterator[str]:
    """Give a port on which nothing can serve: who overlooks another mistake complains of that."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])
