"""Running one command: the parts of the service are made for it, and its answer is printed."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import click
import msgspec

from service.command_line import commands
from service.command_line.refusals import Misconfigured
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


def show(answer: object, lines: Iterable[str], *, is_json: bool) -> None:
    """Print an answer for a person, line by line, or as JSON."""
    if is_json:
        # Indented, and with each character as it is.
        lines = [json.dumps(msgspec.to_builtins(answer), indent=2, ensure_ascii=False)]
    for line in lines:
        click.echo(line)


def count(number: int, thing: str) -> str:
    """Say how many of something there are."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
