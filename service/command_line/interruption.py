"""Ctrl-C while the command line is still being imported: an end without a word.

Imported before anything else. Of itself Python would show where in some library it was.
"""

import signal

_BEFORE = signal.getsignal(signal.SIGINT)
# It may also be ignored, as in what a shell runs in the background.
if _BEFORE is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def hear_again() -> None:
    """Have Ctrl-C raise KeyboardInterrupt, as ever."""
    signal.signal(signal.SIGINT, _BEFORE)
