"""The demonstration: everything with no set-up, on loopback, in a folder of its own."""

import asyncio
import os
from contextlib import suppress
from functools import partial
from pathlib import Path

import click

from service.accounts.errors import AccountExists
from service.app import create_app
from service.command_line import commands
from service.command_line.refusals import Misconfigured
from service.server.listening import bind_listener
from service.server.serving import run_server
from service.settings import Settings, load_settings
from service.sites.errors import SiteExists
from service.telemetry.logs import configure_logs
from service.web.demo import ROUTERS, SITE

DATA_DIR = Path("data/demo")
# A reserved domain (RFC 2606): nothing is ever sent there.
MODERATOR = "moderator@greenroom.example"


def run_demo(port: int) -> None:
    """Make the demonstration's site and moderator, print three links, and serve until stopped.

    Raises Misconfigured when a database is configured: a demonstration must not touch one.
    """
    if os.environ.get("GREENROOM_DATABASE_URL"):
        raise Misconfigured(
            "GREENROOM_DATABASE_URL is set, and the demo would not use it. Unset it, or use `serve`."
        )
    url = f"http://127.0.0.1:{port}"
    settings = load_settings({"GREENROOM_DATA_DIR": str(DATA_DIR), "GREENROOM_PUBLIC_URL": url})
    configure_logs("WARNING")
    # Before a link is printed that would lead to something else.
    listener = bind_listener("127.0.0.1", port)
    # What is next to it may be an installation's, once there is one.
    DATA_DIR.parent.mkdir(mode=0o700, exist_ok=True)
    link = asyncio.run(_prepare(settings))
    click.echo(f"An article with its comments: {url}/demo")
    click.echo(f"The moderator's sign-in (works once): {link}")
    click.echo(f"The API reference: {url}/schema")
    run_server(partial(create_app, settings, extra_routes=ROUTERS), listener)


async def _prepare(settings: Settings) -> str:
    """Make what is not there yet, and give a link for the moderator."""
    await commands.bring_up_to_date(settings)
    async with commands.working(settings) as services:
        with suppress(SiteExists):
            origins = [settings.public_url]
            await commands.add_site(services, SITE, "Greenroom's demo", origins)
        with suppress(AccountExists):
            await commands.add_moderator(
                services,
                MODERATOR,
                "Demo moderator",
                slug=None,
                role=None,
                is_admin=True,
                password=None,
            )
        return await commands.make_sign_in_link(services, MODERATOR)
