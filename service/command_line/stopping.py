"""Stopping a command that takes long, in an orderly way."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from service.command_line.refusals import CommandFailed


@contextmanager
def stoppable(advice: str) -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, and both with one line; raises CommandFailed.

    What the block has begun is undone or ended on its way out, which a signal alone would leave to others.
    """

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        raise CommandFailed(f"Stopped. {advice}") from None
    finally:
        signal.signal(signal.SIGTERM, before)
