"""A server as a child process that tests may stop, kill, freeze and restart."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir

REPOSITORY = Path(__file__).parent.parent
# Far above what any start or stop takes, so that only what never comes meets it.
DEADLINE_SECONDS = 90.0
POLL_SECONDS = 0.02
MEMORY = "/dev/shm"  # noqa: S108 - only folders of our own in it are used.
# A zombie has ended too; an orphan's is reaped by whoever adopts it.
ENDED = ("", "Z")
# The account of the Dockerfile.
IMAGE_UID = 10001
# What a shell starts in the background, such as a run of these tests, ignores Ctrl-C, and so do its children.
HEARS_CTRL_C = ["env", "--default-signal=INT"]
# In a mount namespace of its own: $1 is there for everybody, and nothing else below $2; $3 likewise below $4,
# unless that is the system's own; what is below $1 stays writable, and nothing else.
LOCK_UP = """
open_up() {
    held=$(mktemp -d -p /tmp)
    mount --bind "$1" "$held"
    mount -t tmpfs -o mode=755 tmpfs "$2"
    mkdir -p "$1"
    mount --move "$held" "$1"
    rmdir "$held"
}
[ "$4" = /usr ] || open_up "$3" "$4"
open_up "$1" "$2"
mount -o remount,bind,ro /
shift 4
exec "$@"
"""


class ServerMissing(Exception):
    """A server cannot be had on this machine; the text says what to install or set."""


class RightMissing(ServerMissing):
    """Only root, or root outside of a container, could do it."""


class ServerFailed(AssertionError):
    """A server did not start or stop as it should; the text ends with its log."""


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Return as soon as `condition` holds; raise TimeoutError, saying `what`, if it never does."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {DEADLINE_SECONDS:g} s in vain for {what}")
        time.sleep(POLL_SECONDS)


def state_of(pid: int, thread: int | None = None) -> str:
    """Read the state letter of a process, or of one thread, as in proc(5): T is stopped, nothing is gone."""
    try:
        status = Path(f"/proc/{pid}/task/{thread or pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return status.rpartition(")")[2].split()[0]


def stands_still(pid: int) -> bool:
    """Tell whether every thread of a process is stopped, or has ended."""
    threads = [int(folder.name) for folder in Path(f"/proc/{pid}/task").glob("*")]
    return all(state_of(pid, thread) in (*ENDED, "T") for thread in threads)


def find_free_port() -> int:
    """Ask the kernel for a port on loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@dataclass
class Server:
    """A child process that answers at `url`, for tests to stop, kill, freeze and restart."""

    command: Sequence[str]
    url: str
    log_file: Path
    answers: Callable[[str], bool]
    """Whether the server at this URL is ready to work."""
    environment: Mapping[str, str] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server was never started"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def status(self) -> int | None:
        """The status of a process that has ended; negative, the signal that ended it."""
        return self._process.poll() if self._process else None

    def start(self) -> None:
        """Start the process and return once it answers; raise ServerFailed if it ends instead."""
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment,
                cwd=REPOSITORY,
                # A group of its own, so that `kill` reaches the workers of the service too.
                start_new_session=True,
            )
        wait_until(self._is_ready, f"{self.command} to answer")

    def _is_ready(self) -> bool:
        if not self.is_running:
            raise ServerFailed(f"{self.command} ended:\n{self.log_text()}")
        return self.answers(self.url)

    def stop(self) -> None:
        """Ask the process to end, and wait; raise ServerFailed if it had to be killed for it."""
        if self._process is None or not self.is_running:
            return
        self.thaw()
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailed(f"{self.command} did not stop:\n{self.log_text()}") from None

    def kill(self) -> None:
        """End the process and its workers at once, with no chance to tidy up (SIGKILL)."""
        if self._process is None:
            return
        children = self._find_children()
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._process.wait()
        # As long as one of them lives, a PostgreSQL cannot be started in its place.
        wait_until(lambda: all(state_of(one) in ENDED for one in children), "its children to end")

    def restart(self) -> None:
        """Stop if need be, then start again at the same URL."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Make the server silent: its port still takes connections, nothing answers (SIGSTOP)."""
        stopped = self._signal_family(signal.SIGSTOP)
        # Until the signal has been taken, a thread that is awake goes on.
        wait_until(lambda: all(map(stands_still, stopped)), f"{self.command} to freeze")

    def thaw(self) -> None:
        """Undo `freeze`."""
        self._signal_family(signal.SIGCONT)

    def _signal_family(self, number: signal.Signals) -> list[int]:
        # The parent first: once it is frozen no further child appears.
        os.kill(self.pid, number)
        children = self._find_children()
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, number)
        return [self.pid, *children]

    def _find_children(self) -> list[int]:
        # Linux only. The children of PostgreSQL lead sessions of their own, no group reaches them.
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(child) for child in children.read_text().split()] if children.exists() else []

    def log_text(self) -> str:
        """Read what all processes behind this server wrote so far, to both streams."""
        return self.log_file.read_text(errors="replace")


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """Start a server for the length of a block."""
    try:
        server.start()
        yield server
    finally:
        server.stop()


def bound_to_us(account: str | None = None) -> list[str]:
    """Prefix a command so that it is stopped when we die, and runs under `account`."""
    program = shutil.which("setpriv")
    if program is None:
        if account:
            raise ServerMissing(f"no program setpriv to run anything as {account}")
        return []
    prefix = [program, "--pdeathsig", "INT"]
    return [*prefix, f"--reuid={account}", "--clear-groups"] if account else prefix


def find_scratch_root(path: Path) -> Path:
    """Give the folder for everybody's scratch files in which a path lies."""
    return Path(MEMORY if path.is_relative_to(MEMORY) else gettempdir())


def like_the_image(writable: Path) -> list[str]:
    """Prefix a command so that it runs as in the image: its account, no capability, a read-only root.

    `writable` is the one folder that it may write to; it is handed over to the account. Without root the
    command runs as ourselves, who have no capability either. Raises ServerMissing.
    """
    if os.geteuid() != 0:
        return bound_to_us()
    if (unshare := shutil.which("unshare")) is None:
        raise ServerMissing("no program unshare to run anything with a read-only root")
    for path in (writable, *writable.rglob("*")):
        os.chown(path, IMAGE_UID, IMAGE_UID)
    # Both the folders of pytest and an interpreter in somebody's home would be out of reach.
    root = find_scratch_root(writable)
    private = root / writable.relative_to(root).parts[0]
    home = Path("/", Path(sys.base_prefix).parts[1])
    places = map(str, (writable, private, sys.base_prefix, home))
    drop = ["--regid", str(IMAGE_UID), "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    lock_up = [unshare, "--mount", "--propagation=private", "sh", "-euc", LOCK_UP, "sh", *places]
    return [*lock_up, *bound_to_us(str(IMAGE_UID)), *drop]
