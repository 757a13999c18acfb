"""`greenroom`: running the service, and what belongs to no group of commands."""

from service.server import beginning

# isort: split
import asyncio
import os
import sys
from contextlib import ExitStack
from functools import partial

import click

from service.command_line import commands
from service.command_line.demo import run_demo
from service.command_line.keys import keys
from service.command_line.log import log
from service.command_line.moderators import moderator
from service.command_line.progress import say
from service.command_line.refusals import Commands, Misconfigured
from service.command_line.routes import routes
from service.command_line.sites import site
from service.command_line.starting import announce, look_around, shared_folder
from service.command_line.tokens import token
from service.command_line.working import stoppable, work
from service.database.migrations.refusals import AGAIN
from service.server.listening import bind_listener
from service.server.serving import run_server
from service.server.workers import Deadlines, Parent
from service.settings import load_settings
from service.telemetry.logs import configure_logs
from service.telemetry.sharing import SHARED_FOLDER
from service.text.hosts import MAX_PORT

PORTS = click.IntRange(1, MAX_PORT)


@click.group("greenroom", cls=Commands)
@click.version_option(package_name="greenroom")
def main() -> None:
    """Greenroom, a self-hosted comment moderation service."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=PORTS)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64))
def serve(host: str, port: int, workers: int) -> None:
    """Run the service."""
    settings = load_settings()
    if workers > 1 and not settings.redis_url:
        raise Misconfigured(
            "More than one worker needs GREENROOM_REDIS_URL: without it each would keep limits of its own."
        )
    # What cannot work is said here, in one line, before a server starts.
    found = work(partial(look_around, settings), is_answered=False)
    listener = bind_listener(host, port)
    with ExitStack() as stack:
        if workers > 1:
            os.environ[SHARED_FOLDER] = stack.enter_context(shared_folder())
        configure_logs(settings.log_level)
        announce(settings, found, listens=f"{host}:{port}", workers=workers)
        if workers == 1:
            run_server("service.app:serve_app", listener, drain_seconds=settings.drain_seconds)
        elif not Parent(listener, workers, Deadlines.of(settings.drain_seconds)).run():
            sys.exit(1)


@main.command()
@click.option("--port", default=8000, show_default=True, type=PORTS)
def demo(port: int) -> None:
    """Show everything with no set-up, on loopback."""
    run_demo(port)


@main.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    configure_logs("WARNING", for_a_person=True)
    settings = load_settings()
    with stoppable(AGAIN):
        commands.bring_schema_up_to_date(settings, say)
    asyncio.run(commands.make_first_keys(settings))
    click.echo("The database is up to date.")


for group in (site, moderator, token, keys, log, routes):
    main.add_command(group)

beginning.hear_ctrl_c_again()
