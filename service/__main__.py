"""The command line, `greenroom`."""

from service import beginning

# isort: split
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TypeVar

import click

from service import commands
from service.accounts.rules import parse_role
from service.command_line import log as log_checks
from service.command_line.passwords import read_password
from service.command_line.progress import Progress, say
from service.command_line.refusals import Commands, Misconfigured
from service.command_line.starting import announce, look_around, shared_folder
from service.command_line.stopping import stoppable
from service.demo import run_demo
from service.environment import MAX_PORT
from service.logs import configure_logs
from service.migrations.refusals import AGAIN
from service.server.listening import bind_listener
from service.server.serving import run_server
from service.server.workers import Parent, Patience
from service.services import Services
from service.settings import load_settings
from service.submission.form_scan import describe_scans, scan_file
from service.telemetry.sharing import SHARED_FOLDER

R = TypeVar("R")
ROLES = click.Choice(["owner", "moderator", "viewer"])
ROTATED = "What is renewed stays so; run `greenroom keys rotate` again, and it goes on from there."
PORTS = click.IntRange(1, MAX_PORT)


@click.group("greenroom", cls=Commands)
@click.version_option(package_name="greenroom")
def main() -> None:
    """Greenroom, a self-hosted comment moderation service."""


def work(task: Callable[[Services], Awaitable[R]]) -> R:
    """Do something with the parts of the service."""
    configure_logs("WARNING", for_a_person=True)

    async def run() -> R:
        async with commands.working(load_settings()) as services:
            return await task(services)

    return asyncio.run(run())


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
    found = work(partial(look_around, settings))
    listener = bind_listener(host, port)
    with ExitStack() as stack:
        if workers > 1:
            os.environ[SHARED_FOLDER] = stack.enter_context(shared_folder())
        configure_logs(settings.log_level)
        announce(settings, found, listens=f"{host}:{port}", workers=workers)
        if workers == 1:
            run_server("service.app:serve_app", listener, drain_seconds=settings.drain_seconds)
        elif not Parent(listener, workers, Patience.of(settings.drain_seconds)).run():
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


@main.group()
def site() -> None:
    """Make and change sites."""


@site.command("create")
@click.argument("slug")
@click.option("--title", required=True)
@click.option(
    "--origin",
    "origins",
    required=True,
    multiple=True,
    help="May be repeated; the first is the site's own.",
)
def site_create(slug: str, title: str, origins: tuple[str, ...]) -> None:
    """Make a site."""
    work(lambda services: commands.create_site(services, slug, title, origins))
    click.echo(f"Created the site {slug}.")


@site.command("set")
@click.argument("slug")
@click.argument("pairs", metavar="KEY=VALUE...", nargs=-1, required=True)
def site_set(slug: str, pairs: tuple[str, ...]) -> None:
    """Change settings of a site; running processes follow within two seconds."""
    work(lambda services: commands.set_site(services, slug, pairs))
    click.echo(f"Changed the site {slug}.")


@site.command("scan-form")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def site_scan_form(files: tuple[Path, ...]) -> None:
    """Say what the comment forms of saved pages hold, and which settings their site needs.

    Ends with status 1 when there is a page without a comment form.
    """
    scans = [scan_file(file) for file in files]
    for line in describe_scans(scans):
        click.echo(line)
    if not all(scan.forms for scan in scans):
        sys.exit(1)


@main.group()
def moderator() -> None:
    """Make moderators."""


@moderator.command("create")
@click.argument("email")
@click.option("--name", required=True)
@click.option("--site", "slug")
@click.option("--role", type=ROLES)
@click.option("--admin", is_flag=True, help="May do everything on every site.")
@click.option("--password-stdin", is_flag=True, help="Read a password from standard input.")
def moderator_create(
    email: str, name: str, slug: str | None, role: str | None, admin: bool, password_stdin: bool
) -> None:
    """Make a moderator, or give the existing one a role; a new one without a password gets a link."""
    password = read_password() if password_stdin else None
    if role and not slug:
        raise click.ClickException("--role needs --site.")
    link = work(
        lambda services: commands.add_moderator(
            services,
            email,
            name,
            slug=slug,
            role=parse_role(role) if role else None,
            is_admin=admin,
            password=password,
        )
    )
    click.echo(link or f"{name} can sign in.")


@moderator.command("link")
@click.argument("email")
def moderator_link(email: str) -> None:
    """Print a one-time link, for somebody who has no password or forgot it."""
    click.echo(work(lambda services: commands.make_sign_in_link(services, email)))


@main.group()
def token() -> None:
    """Make bearer tokens."""


@token.command("create")
@click.option("--moderator", "email", required=True, metavar="EMAIL")
@click.option("--site", "slug", help="Limit it to one site.")
@click.option("--role", type=ROLES, help="Limit it to a lower role.")
@click.option("--name", default="command line", show_default=True)
def token_create(email: str, slug: str | None, role: str | None, name: str) -> None:
    """Print a bearer token, once, alone on standard output."""
    chosen = parse_role(role) if role else None
    click.echo(
        work(lambda services: commands.make_bearer_token(services, email, slug, chosen, name))
    )


@main.group()
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


@main.group()
def log() -> None:
    """Check the moderation logs."""


@log.command("verify")
@click.option(
    "--head", metavar="SITE:LENGTH:HASH", help="A head noted earlier, to hold the log to."
)
@click.option(
    "--accept",
    is_flag=True,
    help="Say that chains are right which only the remembered heads speak against, as after a restore.",
)
def log_verify(head: str | None, accept: bool) -> None:
    """Check every chain; name each entry that was changed, removed, reordered or cut off.

    Ends with status 1 when there is one.
    """
    if head is not None and accept:
        raise click.UsageError("--accept goes by the remembered heads alone: leave --head out.")
    check = log_checks.accept_logs if accept else partial(log_checks.verify_logs, head=head)
    results = work(check)
    for result in results:
        click.echo("\n".join(result.lines))
    if not all(result.is_right for result in results):
        sys.exit(1)


beginning.hear_ctrl_c_again()

if __name__ == "__main__":
    main()
