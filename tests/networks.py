"""Another machine for tests: a network namespace at the end of a cable that can be cut."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address

from tests.processes import RightMissing, ServerMissing


@dataclass(frozen=True)
class Machine:
    """What runs behind `prefix` is there, and reaches us at `our_address`."""

    name: str
    our_address: str

    @property
    def prefix(self) -> list[str]:
        """What a command begins with that runs there."""
        return ["ip", "netns", "exec", self.name]

    def cut_off(self) -> None:
        """Let every packet get lost from now on, in both directions, and tell nobody."""
        _ip("-n", self.name, "link", "set", _end(self.name), "down")


@contextmanager
def another_machine() -> Iterator[Machine]:
    """Give a machine that is connected with this one. Raises ServerMissing. For root on Linux."""
    if os.geteuid() != 0:
        raise RightMissing("another machine needs root")
    if shutil.which("ip") is None:
        raise ServerMissing("no program ip to make another machine with")
    pid = os.getpid()
    # A network of four addresses, of those for tests of networks (RFC 2544), that no other run has.
    network = ip_address("198.18.0.0") + 4 * (pid % (1 << 15))
    name, end = f"greenroom-{pid}", _end(f"greenroom-{pid}")
    try:
        _ip("netns", "add", name)
    except subprocess.CalledProcessError as error:
        raise RightMissing("no network namespace can be made here") from error
    try:
        _ip("link", "add", f"gr{pid}", "type", "veth", "peer", "name", end, "netns", name)
        _ip("address", "add", f"{network + 1}/30", "dev", f"gr{pid}")
        _ip("link", "set", f"gr{pid}", "up")
        _ip("-n", name, "address", "add", f"{network + 2}/30", "dev", end)
        _ip("-n", name, "link", "set", end, "up")
        yield Machine(name, str(network + 1))
    finally:
        # Its end of the cable goes with it, and ours with that.
        _ip("netns", "delete", name)


def _end(name: str) -> str:
    return f"{name.removeprefix('greenroom-')}r"


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
