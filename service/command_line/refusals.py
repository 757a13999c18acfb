"""How a command says no: one line on standard error, and a status that says whose mistake it is."""

import os
import sys
from traceback import walk_tb
from typing import Any, NoReturn

import click

from service.database.migrations.refusals import MigrationFailed, MigrationHindered, SchemaOutdated
from service.environment import SettingsInvalid
from service.errors import Invalid, ServiceError
from service.http.told import is_storable
from service.modlog.heads import HeadsUnreadable
from service.privacy.addresses import AddressRefused
from service.server.listening import CannotListen


class CommandFailed(Exception):
    """A command cannot do what it was asked; the text says why."""


class Misconfigured(Exception):
    """Nothing can work as it is set up; the text says what, where, and what to do."""


REFUSED = (
    CommandFailed,
    MigrationFailed,
    ServiceError,
    AddressRefused,
)
MISTAKES = (
    Misconfigured,
    SettingsInvalid,
    SchemaOutdated,
    MigrationHindered,
    CannotListen,
    HeadsUnreadable,
)


# As a shell says that a command ended because nobody reads on (128 and SIGPIPE): it is no finding of it.
UNREAD = 141


class OneCommand(click.Command):
    """A command that takes text and nothing else, but for the names of files."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what was typed; bytes that are no text are refused before anything is done with them."""
        rest = super().parse_args(ctx, args)
        for parameter in self.params:
            given = ctx.params.get(parameter.name or "")
            # What is no str is a path, a number or a switch.
            texts = given if isinstance(given, tuple) else (given,)
            if not all(is_storable(text) for text in texts if isinstance(text, str)):
                raise click.BadParameter("These bytes are no UTF-8.", ctx=ctx, param=parameter)
        return rest


class Commands(click.Group):
    """A group of commands in which whatever can be expected to go wrong ends with one line."""

    command_class = OneCommand

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run what was typed, and end the process; an answer that cannot be written is a mistake too."""
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            if not _is_of_the_answer(error):
                raise
            Mistaken(f"The answer cannot be written to standard output: {error.strerror}.").show()
            sys.exit(Mistaken.exit_code)

    # A group within is one like this.
    group_class = type

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read what was typed before the first command."""
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            _refuse_usage(error)

    def invoke(self, ctx: click.Context) -> Any:
        """Run what was typed."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            _refuse_usage(error)
        except BrokenPipeError as error:
            if not _is_of_the_answer(error):
                raise
            sys.exit(UNREAD)
        except MISTAKES as error:
            raise Mistaken(_one_line(error)) from None
        except Invalid as error:
            raise Failed(_one_line(_name_fields(error))) from None
        except REFUSED as error:
            raise Failed(_one_line(error)) from None


class Failed(click.ClickException):
    """What was asked for is understood and cannot be done."""

    exit_code = 1


class Mistaken(click.ClickException):
    """What was typed or configured, or the machine around it, has to be set right first."""

    exit_code = 2


def _refuse_usage(error: click.UsageError) -> NoReturn:
    """Say what is wrong with what was typed, without the usage that click would show in three more lines."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        raise error
    command = error.ctx.command_path if error.ctx else "greenroom"
    raise Mistaken(f"{_one_line(error.format_message())} See `{command} --help`.") from None


def _is_of_the_answer(error: OSError) -> bool:
    """Tell whether an error came from writing to standard output, which then goes nowhere."""
    *_, (innermost, _) = walk_tb(error.__traceback__)
    if innermost.f_code is not click.echo.__code__:
        return False
    # What still waits would be tried once more at the end of the process, which has words of its own.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True


def _name_fields(error: Invalid) -> str:
    """Name what is wrong with each value, as the API would."""
    faults = ((one.pointer or one.parameter or "", one.detail) for one in error.errors or [])
    named = ((place.removeprefix("#/").removeprefix("settings/"), why) for place, why in faults)
    return " ".join(f"{name}: {why}" for name, why in named) or error.detail


def _one_line(text: object) -> str:
    return " ".join(str(text).split())
