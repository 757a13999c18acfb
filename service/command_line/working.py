"""Running one command: the parts of the service are made for it, and its answer is printed."""

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

import click
import msgspec

from service.command_line import commands
from service.command_line.refusals import CommandFailed, Misconfigured
from service.server.beginning import HAS_STDOUT
from service.services import Services
from service.settings import load_settings
from service.telemetry.logs import configure_logs

R = TypeVar("R")
ROLES = click.Choice(["owner", "moderator", "viewer"])
as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON.")


def work(task: Callable[[Services], Awaitable[R]], *, is_answered: bool = True) -> R:
    """Do something with the parts of the service; nothing where its answer has nowhere to go."""
    if is_answered and not HAS_STDOUT:
        raise Misconfigured("Standard output is closed, where the answer is written to.")
    configure_logs("WARNING", for_a_person=True)

    async def run() -> R:
        async with commands.working(load_settings()) as services:
            return await task(services)

    return asyncio.run(run())


class Row(Protocol):
    """One of several that are listed."""

    @property
    def line(self) -> str:
        """It in one line, its parts separated by tabs."""


def show_list(name: str, rows: Sequence[Row], *, is_json: bool) -> None:
    """Print rows for a person, or as the one member of a JSON object."""
    show({name: rows}, (one.line for one in rows), is_json=is_json)


def show(answer: object, lines: Iterable[str], *, is_json: bool) -> None:
    """Print an answer for a person, line by line, or as JSON."""
    if is_json:
        # Indented, and with each character as it is.
        lines = [json.dumps(msgspec.to_builtins(answer), indent=2, ensure_ascii=False)]
    for line in lines:
        click.echo(line)


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


def count(number: int, thing: str) -> str:
    """Say how many of something there are."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
