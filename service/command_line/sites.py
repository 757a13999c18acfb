"""`greenroom site`: making, changing and showing sites, and looking at forms."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from service.accounts.queries import read_members
from service.accounts.schemas import Member
from service.command_line import commands
from service.command_line.refusals import Commands
from service.command_line.working import as_json, show, show_list, work
from service.http.wire import Id, Slug
from service.services import Services
from service.sites.directory import KnownSite, read_sites
from service.sites.schemas import SiteSettings
from service.wordpress.form_scan import describe_scans, scan_file


class ShownSite(msgspec.Struct, frozen=True):
    """A site as the command line shows it; `settings` are all that apply, defaults included."""

    id: Id
    slug: Slug
    title: str
    origins: list[str]
    settings: SiteSettings

    @property
    def line(self) -> str:
        return "\t".join([self.slug, self.title, " ".join(self.origins)])


class SiteWithMembers(ShownSite, frozen=True):
    """A site with those who have a role on it."""

    members: list[Member]

    @property
    def lines(self) -> Iterator[str]:
        """The settings in the form that `site set` takes, then the members."""
        yield f"{self.slug}: {self.title}"
        yield f"origins={','.join(self.origins)}"
        for name, value in self.settings.items():
            if isinstance(value, dict):
                yield from (f"reason.{code}={text}" for code, text in value.items())
            else:
                yield f"{name}={value}"
        for one in self.members:
            yield "\t".join([one.moderator.id, one.role, one.moderator.name])


@click.group(cls=Commands)
def site() -> None:
    """Make, change and show sites."""


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
    work(lambda services: commands.add_site(services, slug, title, origins))
    click.echo(f"Created the site {slug}.")


@site.command("set")
@click.argument("slug")
@click.argument("pairs", metavar="KEY=VALUE...", nargs=-1, required=True)
def site_set(slug: str, pairs: tuple[str, ...]) -> None:
    """Change settings of a site; running processes follow within two seconds."""
    work(lambda services: commands.set_site(services, slug, pairs))
    click.echo(f"Changed the site {slug}.")


@site.command("list")
@as_json
def site_list(is_json: bool) -> None:
    """List the sites: slug, title and origins, separated by tabs."""
    show_list("sites", work(_list_sites), is_json=is_json)


@site.command("show")
@click.argument("slug")
@as_json
def site_show(slug: str, is_json: bool) -> None:
    """Show a site with its settings, as `site set` takes them, and with its members."""
    found = work(lambda services: _show_site(services, slug))
    show(found, found.lines, is_json=is_json)


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


async def _list_sites(services: Services) -> list[ShownSite]:
    async with services.reading() as session:
        return [_view(one) for one in await read_sites(session, None, None, None)]


async def _show_site(services: Services, slug: str) -> SiteWithMembers:
    async with services.reading() as session:
        known = await commands.get_site(session, slug)
        members = await read_members(session, known.id)
    return SiteWithMembers(**msgspec.structs.asdict(_view(known)), members=members)


def _view(known: KnownSite) -> ShownSite:
    origins, settings = list(known.origins), known.policy.as_settings()
    return ShownSite(str(known.id), known.slug, known.title, origins, settings)
