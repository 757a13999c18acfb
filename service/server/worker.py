"""What a worker runs: `python -m service.server.worker LISTENER TELLS PARENT`.

The first two are descriptors that it inherits, of the listener and of the pipe by which it tells that it is
alive; the last is its parent's process.
"""

import ctypes
import os
import signal
import socket
import sys

# From linux/prctl.h.
PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve until the parent says otherwise or is gone."""
    listener, tells, parent = map(int, sys.argv[1:])
    _end_with_parent(parent)
    # Only now, since it takes a second in which the parent may be killed.
    from service.app import serve_app
    from service.server.serving import run_server
    from service.settings import load_settings
    from service.telemetry.logs import configure_logs

    os.set_blocking(tells, False)

    def tell() -> None:
        try:
            os.write(tells, b".")
        except BlockingIOError:
            # The parent is frozen, and its pipe full.
            pass
        except BrokenPipeError:
            # Where the kernel does not see to it: without a parent nobody could stop this process.
            signal.raise_signal(signal.SIGINT)

    configure_logs()
    settings = load_settings()
    with socket.socket(fileno=listener) as inherited:
        run_server(serve_app, inherited, drain_seconds=settings.drain_seconds, tell=tell)


def _end_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent is gone. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit(1)


if __name__ == "__main__":
    main()
