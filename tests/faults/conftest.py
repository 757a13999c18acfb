"""What tests of faults share."""

import socket
from collections.abc import Iterator

import pytest

from tests.disks import SmallDisk, small_disk


@pytest.fixture(scope="session")
def taken_port() -> Iterator[str]:
    """Give a port on which nothing can serve: who overlooks another mistake complains of that."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])


@pytest.fixture
def disk_mebibytes() -> int:
    return 8


@pytest.fixture
def disk(disk_mebibytes: int) -> Iterator[SmallDisk]:
    """Give a disk that can be filled, or skip."""
    with small_disk(disk_mebibytes) as disk:
        yield disk
