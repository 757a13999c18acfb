"""`greenroom keys`: renewing keys."""

from functools import partial

import click

from service.command_line import commands
from service.command_line.progress import Progress
from service.command_line.refusals import Commands
from service.command_line.working import stoppable, work

ROTATED = "What is renewed stays so; run `greenroom keys rotate` again, and it goes on from there."


@click.group(cls=Commands)
def keys() -> None:
    """Renew keys."""


@keys.command("rotate")
def keys_rotate() -> None:
    """Re-encrypt and re-index every address under a new key, while the service runs."""
    with stoppable(ROTATED):
        done = work(partial(commands.rotate, tell=Progress("addresses")))
    click.echo(
        f"{done.addresses} addresses lie under the new key; {len(done.deleted_keys)} old keys are deleted."
    )
