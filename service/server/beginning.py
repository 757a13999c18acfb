"""The first steps of a process, done by importing this: it takes a second until the rest is imported.

A standard stream that is closed would give its descriptor to the next file that is opened, such as the socket
of a listener, and what is written to the stream would go there.
"""

import os
import signal
import sys
from types import FrameType

STANDARD = (0, 1, 2)
# Python has none where the shell closed it.
HAS_STDOUT = sys.stdout is not None
_BEFORE = signal.getsignal(signal.SIGINT)


def open_standard_streams() -> None:
    """Have something behind each of the three standard descriptors."""
    for descriptor in STANDARD:
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number is taken, which is this one; workers have it too.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def heed_signals() -> None:
    """Be one that a supervisor can stop, and does not stop by chance, before there is anything to end."""
    if os.getpid() == 1:
        # The first process of a container gets no signal that it has no handler for.
        signal.signal(signal.SIGTERM, _end)
    # It may also be ignored, as in what a shell runs in the background.
    if _BEFORE is signal.default_int_handler:
        # Of itself Python would show where in some library it was.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.argv[1:2] == ["serve"] and not os.isatty(0):
        # Else a `reload` soon after the start would be its end.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def hear_ctrl_c_again() -> None:
    """Have Ctrl-C raise KeyboardInterrupt, as ever: from now on somebody says what it stopped."""
    signal.signal(signal.SIGINT, _BEFORE)


def _end(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)


open_standard_streams()
heed_signals()
