"""The demonstration: everything with no set-up, on loopback, in a folder of its own."""

import asyncio
import os
from pathlib import Path

import click
import uvicorn

from service import commands
from service.accounts.operations import find_moderator, make_link
from service.app import create_app
from service.commands import CommandFailed
from service.logs import configure_logs
from service.privacy.addresses import check_address
from service.services import Services
from service.settings import Settings, load_settings
from service.web.demo import ROUTES, SITE

DATA_DIR = Path("data/demo")
# A reserved domain (RFC 2606): nothing is ever sent there.
MODERATOR = "moderator@greenroom.example"


def run_demo(port: int) -> None:
    """Make the demonstration's site and moderator, print three links, and serve until stopped.

    Raises CommandFailed when a database is configured: a demonstration must not touch one.
    """
    if os.environ.get("GREENROOM_DATABASE_URL"):
        raise CommandFailed(
            "GREENROOM_DATABASE_URL is set, and the demo would not use it. Unset it, or use `serve`."
        )
    url = f"http://127.0.0.1:{port}"
    settings = load_settings({"GREENROOM_DATA_DIR": str(DATA_DIR), "GREENROOM_PUBLIC_URL": url})
    configure_logs("WARNING")
    link = asyncio.run(_prepare(settings))
    click.echo(f"An article with its comments: {url}/demo")
    click.echo(f"The moderator's sign-in (works once): {link}")
    click.echo(f"The API reference: {url}/schema")
    app = create_app(settings, extra_routes=ROUTES)
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        log_config=None,
        proxy_headers=False,
        access_log=False,
        server_header=False,
    )


async def _prepare(settings: Settings) -> str:
    await commands.bring_up_to_date(settings)
    async with commands.working(settings) as services:
        if await services.directory.find(SITE) is None:
            origins = [settings.public_url]
            await commands.create_site(services, SITE, "Greenroom's demo", origins)
        return await _make_link(services)


async def _make_link(services: Services) -> str:
    address = check_address(MODERATOR)
    async with services.reading() as session:
        keyring = await services.vault.keyring(session)
        found = await find_moderator(session, keyring, address)
    if found is None:
        await commands.add_moderator(
            services,
            MODERATOR,
            "Demo moderator",
            slug=SITE,
            role=None,
            is_admin=True,
            password=None,
        )
    async with services.writing() as session:
        keyring = await services.vault.keyring(session)
        moderator = await find_moderator(session, keyring, address)
        assert moderator is not None  # noqa: S101  (it was made above, if it was not there)
        return f"{services.settings.public_url}/sign-in/{make_link(session, moderator.id, services.clock())}"
