"""How a command says no: one line on standard error, and a status that says whose mistake it is."""

from typing import Any, NoReturn

import click

from service.environment import SettingsInvalid
from service.errors import ServiceError
from service.migrations.refusals import MigrationFailed, RightsMissing, SchemaOutdated
from service.modlog.heads import HeadsUnreadable
from service.privacy.addresses import AddressRefused
from service.server.listening import CannotListen
from service.sites.errors import OriginInvalid, SettingInvalid, SlugInvalid


class CommandFailed(Exception):
    """A command cannot do what it was asked; the text says why."""


class Misconfigured(Exception):
    """Nothing can work as it is set up; the text says what, where, and what to do."""


REFUSED = (
    CommandFailed,
    MigrationFailed,
    ServiceError,
    AddressRefused,
    SlugInvalid,
    OriginInvalid,
    SettingInvalid,
)
MISTAKES = (
    Misconfigured,
    SettingsInvalid,
    SchemaOutdated,
    RightsMissing,
    CannotListen,
    HeadsUnreadable,
)


class Commands(click.Group):
    """A group of commands in which whatever can be expected to go wrong ends with one line."""

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
        except MISTAKES as error:
            raise Mistaken(_one_line(error)) from None
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


def _one_line(text: object) -> str:
    return " ".join(str(text).split())
