"""What the command line does beside serving: each function is one command, on a database of its own."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.credentials import create_bearer_token, lock_moderator
from service.accounts.errors import AccountDisabled
from service.accounts.links import make_link
from service.accounts.members import create_moderator, set_role
from service.accounts.queries import find_moderator, read_roles
from service.accounts.rules import Caller, Role
from service.accounts.schemas import CreateToken, NewModerator
from service.accounts.site_operations import change_site, create_site
from service.accounts.tables import Moderator
from service.clock import parse_id, read_clock
from service.command_line.data_dir import check_data, check_database_file, make_data_dir
from service.command_line.database_errors import explained
from service.command_line.refusals import CommandFailed
from service.command_line.starting import require_text
from service.database import MAINTENANCE
from service.database.migrations.patience import Tell, say_nothing
from service.database.migrations.running import migrate
from service.http.faults import Faults
from service.http.fields import convert_fields
from service.privacy.addresses import check_address
from service.privacy.rotation import Rotation, TellCount, rotate_keys
from service.process import start_services
from service.services import Services
from service.settings import Settings
from service.sites.directory import KnownSite, load_site
from service.sites.policy import parse_setting
from service.sites.schemas import ChangeSite, CreateSite
from service.telemetry.metrics import Metrics
from service.work import Work


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[Services]:
    """Give the parts of the service to a command; limits are not its business.

    Raises Misconfigured, SettingsInvalid or SchemaOutdated where they cannot be had.
    """
    alone = msgspec.structs.replace(settings, redis_url=None)
    check_data(settings)
    check_database_file(settings)
    with explained(settings):
        async with start_services(alone, read_clock, Metrics(), bounds=MAINTENANCE) as services:
            make_data_dir(settings)
            yield services


# Called before what was made is committed: what can be shown to nobody is not made.
TellAnswer = Callable[[str], None]


def keep_quiet(_: str) -> None:
    """Tell nobody."""


async def bring_up_to_date(settings: Settings) -> None:
    """Bring the schema up to date, and make the first keys; raises as those two do."""
    bring_schema_up_to_date(settings)
    await make_first_keys(settings)


def bring_schema_up_to_date(settings: Settings, tell: Tell = say_nothing) -> None:
    """Bring the schema up to date; what takes long is told.

    Raises Misconfigured, MigrationFailed or SchemaOutdated. It is no coroutine: in an event loop a signal
    would not be heard before its end.
    """
    check_data(settings)
    check_database_file(settings)
    make_data_dir(settings)
    with explained(settings):
        require_text(settings)
        migrate(settings.database_url, tell=tell)


async def make_first_keys(settings: Settings) -> None:
    """Make the keys of a new installation; raises as `working` does."""
    async with working(settings):
        pass


async def add_site(services: Services, slug: str, title: str, origins: Sequence[str]) -> None:
    """Make a site; raises Invalid or SiteExists."""
    site = convert_fields({"slug": slug, "title": title, "origins": [*origins]}, CreateSite)
    await create_site(services, site, None)


async def set_site(services: Services, slug: str, pairs: Sequence[str]) -> None:
    """Change settings given as KEY=VALUE; `title` and `origins` (separated by commas) are among them.

    Raises CommandFailed, Invalid or SettingFixed.
    """
    given: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise CommandFailed(f"{pair!r} is not KEY=VALUE.")
        given[name] = value
    named: dict[str, object] = {"title": given.pop("title")} if "title" in given else {}
    if "origins" in given:
        named["origins"] = given.pop("origins").split(",")
    settings = {name: parse_setting(name, text) for name, text in given.items()}
    faults = Faults()
    # Any number of settings is taken here, each of which is looked at by itself.
    changes = msgspec.structs.replace(convert_fields(named, ChangeSite, faults=faults), settings=settings)
    async with services.reading() as session:
        site = await get_site(session, slug)
    await change_site(services, site.id, changes, None, faults)


async def add_moderator(
    services: Services,
    email: str,
    name: str,
    *,
    slug: str | None,
    role: Role | None,
    is_admin: bool,
    password: str | None,
    tell: TellAnswer = keep_quiet,
) -> None:
    """Make an account, or give the existing one a role on the site, and `tell` what came of it.

    A new one without a password gets a one-time link. Raises Invalid, CommandFailed, AccountExists.
    """
    name = convert_fields({"name": name}, NewModerator).name
    address = check_address(email)
    hashed = await services.passwords.hash(password) if password is not None else None
    async with services.changing(None) as work:
        site = await get_site(work.session, slug) if slug is not None else None
        known = await find_moderator(work.session, work.keyring, address)
        if known and site:
            _require_unchanged(known, name, hashed, is_admin)
            moderator = known
        else:
            moderator = await create_moderator(
                work, address, name=name, password_hash=hashed, is_admin=is_admin
            )
        # The role and the link refer to the account by foreign keys that the session does not know of.
        await work.session.flush()
        chosen = role or Role.MODERATOR
        if site:
            await set_role(work, site.id, moderator.id, chosen)
        if known or hashed:
            tell(_describe(moderator, f", and is {chosen.word} of {slug}" if site else ""))
        else:
            tell(await _new_link(services, work, moderator))


def _describe(moderator: Moderator, more: str) -> str:
    can = "can sign in" if moderator.password_hash else "has no password"
    return f"{moderator.name} {'is disabled' if moderator.disabled_at else can}{more}."


def _require_unchanged(moderator: Moderator, name: str, password_hash: str | None, is_admin: bool) -> None:
    """Raise CommandFailed where a new role would come with something that it cannot change."""
    if moderator.name != name or password_hash or is_admin:
        raise CommandFailed(
            "This address has an account already, which stays as it is: "
            "give it a role with its own --name, and without --admin and --password-stdin."
        )


async def make_sign_in_link(services: Services, who: str, tell: TellAnswer = keep_quiet) -> str:
    """Make a link for a moderator who has no password or forgot it; it works once, within a day."""
    async with services.changing(None) as work:
        link = await _new_link(services, work, await get_moderator(services, work.session, who))
        tell(link)
    return link


async def _new_link(services: Services, work: Work, moderator: Moderator) -> str:
    token = await make_link(work, moderator.id)
    return f"{services.settings.public_url}/sign-in/{token}"


async def get_moderator(services: Services, session: AsyncSession, who: str) -> Moderator:
    """Give a moderator by id, or else by address; raises CommandFailed or AddressRefused."""
    if moderator_id := parse_id(who):
        moderator = await session.get(Moderator, moderator_id)
        if moderator is None or moderator.removed_at is not None:
            raise CommandFailed("There is no moderator with this id.")
        return moderator
    keyring = await services.vault.keyring(session)
    moderator = await find_moderator(session, keyring, check_address(who))
    if moderator is None:
        raise CommandFailed("There is no moderator with this address.")
    return moderator


async def get_site(session: AsyncSession, slug: str) -> KnownSite:
    """Give a site by its slug; raises CommandFailed."""
    site = await load_site(session, slug)
    if site is None:
        raise CommandFailed(f"There is no site {slug!r}.")
    return site


async def make_bearer_token(
    services: Services,
    who: str,
    slug: str | None,
    role: Role | None,
    name: str,
    tell: TellAnswer = keep_quiet,
) -> str:
    """Make a bearer token for a moderator and give its text; raises Invalid, CommandFailed."""
    name = convert_fields({"name": name}, CreateToken).name
    async with services.changing(None) as work:
        moderator = await get_moderator(services, work.session, who)
        site_id = (await get_site(work.session, slug)).id if slug is not None else None
        await _require_use(work.session, moderator, site_id, role)
        _, text = await create_bearer_token(work, moderator.id, name=name, site_id=site_id, role=role)
        tell(text)
    return text


async def _require_use(
    session: AsyncSession, moderator: Moderator, site_id: UUID | None, role: Role | None
) -> None:
    """Raise CommandFailed for a token that would open nothing, or less than it says."""
    moderator = await lock_moderator(session, moderator.id)
    if moderator.disabled_at is not None:
        raise AccountDisabled
    reach = Caller(
        moderator_id=moderator.id,
        name=moderator.name,
        is_admin=moderator.is_admin,
        roles=await read_roles(session, moderator.id),
    )
    if why := reach.opens_nothing(site_id, role):
        raise CommandFailed(f"No token was made for {moderator.name}: {why}.")


async def rotate(services: Services, tell: TellCount = lambda _done, _total: None) -> Rotation:
    """Renew the keys of addresses while the service runs."""
    return await rotate_keys(services.database, services.vault, services.clock(), tell=tell)
